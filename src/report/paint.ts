/** How a text may stand out. Only the command line knows whether there is a terminal, so it hands the painter in. */
export type Style = 'bold' | 'dim' | 'good' | 'bad';
export type Paint = (style: Style, text: string) => string;

/** No colours: files, pipes, tests. */
export const plain: Paint = (_style, text) => text;
