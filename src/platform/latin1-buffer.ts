/** Two methods that a Buffer has in both runtimes and that cost about half of `toString` and `write`; the types leave them out. */
export interface Latin1Buffer extends Buffer {
  latin1Slice(from: number, to: number): string;
  /** Writes `length` characters at `at`. */
  latin1Write(text: string, at: number, length: number): number;
}
