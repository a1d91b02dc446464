/** The buffer in which a worker puts small messages together, shared by all its connections. */

/**
 * What is put together in one write: a 16 KiB body with its head. Of larger ones only the beginning is, for
 * copying 64 KiB parts whole costs a third more CPU than a second and a third write (630 to 900 ms per GiB).
 */
export const SCRATCH_BYTES = 20 * 1024;

export class OutputScratch {
  bytes = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  renew(): void {
    this.bytes = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }
}
