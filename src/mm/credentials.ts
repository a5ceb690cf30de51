/** Capabilities that the model asks for, as bits. Kernel: include/uapi/linux/capability.h. */
export const CAP_SYS_NICE = 1 << 0;
export const CAP_SYS_RESOURCE = 1 << 1;
export const CAP_SYS_ADMIN = 1 << 2;
const CAP_SYS_PTRACE = 1 << 3;
const ALL_CAPABILITIES = CAP_SYS_NICE | CAP_SYS_RESOURCE | CAP_SYS_ADMIN | CAP_SYS_PTRACE;

/** Who a task acts as, and what that lets it do. Kernel: struct cred, or the fields of task_struct in 2.6.16. */
export class Credentials {
  uid = 0;
  euid = 0;
  suid = 0;
  capabilities = ALL_CAPABILITIES;

  has(capability: number): boolean {
    return (this.capabilities & capability) !== 0;
  }

  /** Real, effective and saved user are one from now on; 0 has every capability, anyone else none. Kernel: setresuid(2). */
  becomeUser(uid: number): void {
    this.uid = this.euid = this.suid = uid;
    this.capabilities = uid === 0 ? ALL_CAPABILITIES : 0;
  }

  copyFrom(other: Credentials): void {
    this.uid = other.uid;
    this.euid = other.euid;
    this.suid = other.suid;
    this.capabilities = other.capabilities;
  }
}
