/**
 * Whether the control plane answers, seen from the query that is asked most often. While it does not, the
 * pages keep their last figures and the banner says how old these are.
 */
import { useLiveStats, useStatus } from './queries.ts';

export interface Connection {
  /** `connecting`: no answer yet; `live`: the last question was answered; `lost`: it was not. */
  readonly state: 'connecting' | 'live' | 'lost';
  /** ms since the epoch of the last answer, null before the first. */
  readonly lastAnswerAt: number | null;
  readonly reason: string | null;
}

export function useConnection(): Connection {
  const live = useLiveStats();
  const status = useStatus();
  const lastAnswerAt = Math.max(live.dataUpdatedAt, status.dataUpdatedAt);
  const lastFailureAt = Math.max(live.errorUpdatedAt, status.errorUpdatedAt);
  const error = live.error ?? status.error;
  return {
    state: lastFailureAt > lastAnswerAt ? 'lost' : lastAnswerAt > 0 ? 'live' : 'connecting',
    lastAnswerAt: lastAnswerAt > 0 ? lastAnswerAt : null,
    reason: error === null ? null : error.message,
  };
}
