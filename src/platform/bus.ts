/**
 * How the parts of Perigee talk. One interface; on one machine the supervisor carries the messages over
 * process channels (`main/supervisor`), within one process `createLocalBus` does; many machines will use NATS.
 *
 * Delivery: `publish` is at most once and never blocks; the last message of a retained topic is handed to
 * every later subscriber. `request` asks every live part that responds to the topic and reports each answer.
 */
import type { PartName, Publications, Requests } from '#core/model/messages.ts';

export type PublicationTopic = keyof Publications;
export type RequestTopic = keyof Requests;

/** Topics whose last message a newcomer receives at once. */
export const RETAINED_TOPICS: ReadonlySet<PublicationTopic> = new Set(['snapshot']);

export type Reply<Topic extends RequestTopic> =
  | { readonly from: PartName; readonly ok: true; readonly answer: Requests[Topic][1] }
  /** The part answered with an error, died, or did not answer in time. */
  | { readonly from: PartName; readonly ok: false; readonly error: string };

export interface Bus {
  readonly self: PartName;
  publish<Topic extends PublicationTopic>(topic: Topic, message: Publications[Topic]): void;
  /** Returns the unsubscriber. */
  subscribe<Topic extends PublicationTopic>(
    topic: Topic,
    listener: (message: Publications[Topic], from: PartName) => void,
  ): () => void;
  /** Asks every live responder (or those named by `to`), and waits at most `timeoutMs` for all of them. */
  request<Topic extends RequestTopic>(
    topic: Topic,
    question: Requests[Topic][0],
    options: { readonly timeoutMs: number; readonly to?: readonly PartName[] },
  ): Promise<readonly Reply<Topic>[]>;
  respond<Topic extends RequestTopic>(
    topic: Topic,
    responder: (
      question: Requests[Topic][0],
      from: PartName,
    ) => Requests[Topic][1] | Promise<Requests[Topic][1]>,
  ): void;
  close(): void;
}
