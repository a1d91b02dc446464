/**
 * Carries messages between the parts of one machine. A part is a channel to a process; the hub knows what
 * each subscribes to and answers, keeps the last message of retained topics, and gathers the answers to a
 * request from every live responder. A part that dies mid-request counts as a failed answer at once.
 */
import type { PartName } from '#core/model/messages.ts';
import { RETAINED_TOPICS } from '#platform/bus.ts';
import type { ChannelReply, PartMessage, SupervisorMessage } from '#platform/process-channel.ts';

/** Requests under way at once; more are answered with nothing, so that a broken part cannot fill memory. */
const REQUESTS_MAX = 10_000;

interface Part {
  readonly send: (message: SupervisorMessage) => void;
  readonly subscriptions: Set<string>;
  readonly responds: Set<string>;
}

interface Gathering {
  readonly waitingFor: Set<PartName>;
  readonly replies: ChannelReply[];
  readonly finish: () => void;
}

const RETAINED: ReadonlySet<string> = RETAINED_TOPICS;

export class Hub {
  readonly #parts = new Map<PartName, Part>();
  readonly #retained = new Map<string, { readonly message: unknown; readonly from: PartName }>();
  readonly #gatherings = new Map<number, Gathering>();
  #lastGathering = 0;

  /** A process has started under this name; `send` reaches it. */
  join(name: PartName, send: (message: SupervisorMessage) => void): void {
    this.leave(name);
    this.#parts.set(name, { send, subscriptions: new Set(), responds: new Set() });
  }

  /** Its process has ended: whoever waits for its answer learns so. */
  leave(name: PartName): void {
    if (!this.#parts.delete(name)) return;
    for (const gathering of [...this.#gatherings.values()]) {
      if (gathering.waitingFor.has(name))
        reply(gathering, { from: name, ok: false, error: 'the part ended' });
    }
  }

  /** Handles what a part said; messages about starting are the supervisor's, not the hub's. */
  receive(from: PartName, message: PartMessage): void {
    const part = this.#parts.get(from);
    if (part === undefined) return;
    switch (message.kind) {
      case 'subscribe':
        this.#subscribe(part, message.topic);
        break;
      case 'respond':
        part.responds.add(message.topic);
        break;
      case 'publish':
        this.#publish(from, message.topic, message.message);
        break;
      case 'request':
        this.#request(from, part, message);
        break;
      case 'answer':
        this.#answer(from, message);
        break;
      case 'ready':
      case 'failed':
        break;
    }
  }

  #subscribe(part: Part, topic: string): void {
    part.subscriptions.add(topic);
    const last = this.#retained.get(topic);
    if (last !== undefined) part.send({ kind: 'deliver', topic, message: last.message, from: last.from });
  }

  #publish(from: PartName, topic: string, message: unknown): void {
    if (RETAINED.has(topic)) this.#retained.set(topic, { message, from });
    for (const part of this.#parts.values()) {
      if (part.subscriptions.has(topic)) part.send({ kind: 'deliver', topic, message, from });
    }
  }

  #answer(from: PartName, message: Extract<PartMessage, { kind: 'answer' }>): void {
    const gathering = this.#gatherings.get(message.id);
    if (gathering === undefined || !gathering.waitingFor.has(from)) return;
    const { ok, answer, error } = message;
    reply(gathering, ok ? { from, ok, answer } : { from, ok, error: error ?? 'unknown' });
  }

  #request(from: PartName, asker: Part, message: Extract<PartMessage, { kind: 'request' }>): void {
    const asked = [...this.#parts].filter(
      ([name, part]) =>
        part.responds.has(message.topic) && (message.to === null || message.to.includes(name)),
    );
    const replies: ChannelReply[] = [];
    if (asked.length === 0 || this.#gatherings.size >= REQUESTS_MAX) {
      asker.send({ kind: 'replies', id: message.id, replies });
      return;
    }
    const id = ++this.#lastGathering;
    const waitingFor = new Set(asked.map(([name]) => name));
    const finish = () => {
      clearTimeout(timer);
      this.#gatherings.delete(id);
      for (const name of waitingFor) {
        replies.push({ from: name, ok: false, error: `no answer within ${message.timeoutMs} ms` });
      }
      asker.send({ kind: 'replies', id: message.id, replies });
    };
    const timer = setTimeout(finish, message.timeoutMs);
    this.#gatherings.set(id, { waitingFor, replies, finish });
    for (const [, part] of asked)
      part.send({ kind: 'ask', id, topic: message.topic, question: message.question, from });
  }
}

function reply(gathering: Gathering, answer: ChannelReply): void {
  gathering.waitingFor.delete(answer.from);
  gathering.replies.push(answer);
  if (gathering.waitingFor.size === 0) gathering.finish();
}
