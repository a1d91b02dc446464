/**
 * The outcomes of judgement, as types. Every fork of the road is one of these, with its reason; the
 * reason printed in Cache-Status, in metrics and in the log is the same word.
 */
import type { StoredHead } from './stored-head.ts';

/** Why a request goes to the origin: the `fwd` values of RFC 9211 §2.2. */
export type ForwardReason =
  | 'bypass'
  | 'method'
  | 'uri-miss'
  | 'vary-miss'
  | 'miss'
  | 'request'
  | 'stale'
  | 'partial';

/** What to do with a request, given what is stored (RFC 9111 §4). */
export type Decision =
  /** Answer from the stored response, nothing else. `isStale` only where the request (max-stale) or site allows it. */
  | { readonly action: 'reuse'; readonly selected: StoredHead; readonly isStale: boolean }
  /** Answer stale now and validate in the background (RFC 5861 §3). */
  | { readonly action: 'reuse-and-revalidate'; readonly selected: StoredHead }
  /** Ask the origin conditionally before answering; `mayServeStaleOnError` where the origin's failure may be covered. */
  | {
      readonly action: 'validate';
      readonly selected: StoredHead;
      readonly forward: ForwardReason;
      readonly mayServeStaleOnError: boolean;
    }
  /** Ask the origin; `mayCollapse`: other requests for the key may wait for this answer. */
  | {
      readonly action: 'forward';
      readonly forward: ForwardReason;
      readonly mayCollapse: boolean;
      readonly mayStore: boolean;
    }
  /** Answer ourselves without asking (only-if-cached: 504; RFC 9111 §5.2.1.7). */
  | { readonly action: 'refuse'; readonly status: number; readonly detail: string };

/** Why a response is not stored; printed as the detail of Cache-Status. */
export type PassReason =
  | 'method'
  | 'status'
  | 'no-store'
  | 'no-cache'
  | 'private'
  | 'authorization'
  | 'client-certificate'
  | 'vary-star'
  | 'vary-client'
  | 'no-lifetime'
  | 'set-cookie'
  | 'type-mismatch'
  | 'range'
  | 'too-large'
  | 'doubtful-end'
  | 'rule-bypass'
  | 'purged-meanwhile'
  | 'must-understand';

/** Whether an origin's response is stored (RFC 9111 §3). */
export type Admission =
  | { readonly action: 'store'; readonly head: StoredHead }
  /** Not kept, but for everybody who waited for it: an origin in trouble is asked once, not by each of them. */
  | { readonly action: 'share'; readonly head: StoredHead; readonly reason: PassReason }
  | { readonly action: 'pass'; readonly reason: PassReason };
