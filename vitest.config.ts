import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Decorated plug-in classes need their metadata (experimentalDecorators + emitDecoratorMetadata).
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: { include: ['test/**/*.test.ts'], testTimeout: 120_000 },
});
