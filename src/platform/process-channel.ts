/** What a part and its supervisor say to each other over the process channel (one JSON value a message). */

import type { AppErrorCode } from '#core/base/app-error.ts';
import type { PartName } from '#core/model/messages.ts';

export interface ChannelReply {
  readonly from: PartName;
  readonly ok: boolean;
  readonly answer?: unknown;
  readonly error?: string;
}

/** From a part to the supervisor. */
export type PartMessage =
  /** Its code is loaded; it starts when told to (`begin`). Only of a part that was asked to wait. */
  | { readonly kind: 'loaded' }
  /** Everything is up; `facts` are for the supervisor's summary. */
  | { readonly kind: 'ready'; readonly facts: Readonly<Record<string, string>> }
  /** Could not start, for a reason worth one line to the user. */
  | { readonly kind: 'failed'; readonly code: AppErrorCode; readonly message: string }
  /** Nothing more comes from it: it waits for `goodbye`, which says that all of it has arrived. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'subscribe'; readonly topic: string }
  | { readonly kind: 'respond'; readonly topic: string }
  | { readonly kind: 'publish'; readonly topic: string; readonly message: unknown }
  | {
      readonly kind: 'request';
      readonly id: number;
      readonly topic: string;
      readonly question: unknown;
      readonly timeoutMs: number;
      readonly to: readonly PartName[] | null;
    }
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly ok: boolean;
      readonly answer?: unknown;
      readonly error?: string;
    };

/** From the supervisor to a part. */
export type SupervisorMessage =
  /** Start, after `loaded`. */
  | { readonly kind: 'begin' }
  /** End in order, within the part's own bound. */
  | { readonly kind: 'end' }
  /** A successor has taken over: end in order, and have this long for what is under way. */
  | { readonly kind: 'hand-over'; readonly withinMs: number }
  | { readonly kind: 'goodbye' }
  | { readonly kind: 'deliver'; readonly topic: string; readonly message: unknown; readonly from: PartName }
  | {
      readonly kind: 'ask';
      readonly id: number;
      readonly topic: string;
      readonly question: unknown;
      readonly from: PartName;
    }
  | { readonly kind: 'replies'; readonly id: number; readonly replies: readonly ChannelReply[] };
