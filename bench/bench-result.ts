/**
 * What a bench reports: figures measured side by side in one run, and the ratios between them. Figures
 * alone say little about another machine; ratios travel better.
 */

/** By name with unit, such as "requestsPerSecond" or "cpuMicrosecondsPerRequest". */
export type Figures = Readonly<Record<string, number>>;

/** One line of the table: what was measured under which circumstances. */
export interface BenchRow {
  /** Who served, such as "perigee" or "nginx". */
  readonly subject: string;
  /** What was asked of it, such as "1 KiB, http/1.1, wrk". */
  readonly scenario: string;
  /** Medians. */
  readonly figures: Figures;
  /** Those of each round; the subjects of a scenario played the same rounds. */
  readonly rounds: readonly Figures[];
}

/** How much better the product does than another in one scenario: above 1 it does better. */
export interface BenchRatio {
  readonly scenario: string;
  /** Which figure is compared. */
  readonly figure: string;
  readonly against: string;
  readonly ratio: number;
}

export interface BenchResult {
  readonly bench: string;
  /** One sentence: what is measured, where everything runs. */
  readonly description: string;
  readonly rows: readonly BenchRow[];
  readonly ratios: readonly BenchRatio[];
  /** Of every program involved. */
  readonly versions: Readonly<Record<string, string>>;
  /** What a reader must know to judge the figures. */
  readonly notes: readonly string[];
}

/** What the dispatcher adds before it writes JSON. */
export interface RecordedBench extends BenchResult {
  /** ISO 8601. */
  readonly startedAt: string;
  /** Seconds of each single measurement. */
  readonly seconds: number;
  readonly roundsPlayed: number;
  readonly machine: Machine;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
}

export interface BenchOptions {
  /** Seconds of each single measurement. */
  readonly seconds: number;
  /** How often each is made. */
  readonly rounds: number;
  /** Only scenarios with this in their name; null: all. */
  readonly only: string | null;
  /** Names of the peers that take part; null: all. */
  readonly peers: readonly string[] | null;
  /** Checkouts of Perigee that take part beside this one. */
  readonly builds: readonly string[];
}

/** What a file `bench/<name>.ts` exports as `run`. Rejects with a message that says what is missing and how to get it. */
export type RunBench = (options: BenchOptions) => Promise<BenchResult>;
