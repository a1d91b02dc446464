/** What a command touches of the outside world, handed in so that tests can stand in for a terminal. */
import type { Send } from '#core/contract/client.ts';

export interface CliIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether `out` is a terminal; only then is anything coloured. */
  readonly isTerminal: boolean;
  /** How requests reach the API; left out: over the network (`send.ts`). */
  readonly send?: Send;
}
