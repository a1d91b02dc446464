/**
 * Carries messages between the parts of one machine. A member is a channel to a process; the hub knows what
 * each subscribes to and answers, keeps the last message of retained topics, and gathers the answers to a
 * request from every live responder. A part that dies mid-request counts as a failed answer at once.
 *
 * While a part is replaced, its old process and its new one are both members, under names of their own:
 *
 *   next ── promote ──▶ serving ── retire ──▶ former ── leave
 *
 * A `next` may serve at any moment and a `former` still does, so purges reach them too. Neither speaks for
 * the part, and neither is missed: one that ends has nothing left that it could serve.
 */
import type { PartName } from '#core/model/messages.ts';
import type { Snapshot } from '#core/model/snapshot.ts';
import { type PublicationTopic, RETAINED_TOPICS, type RequestTopic } from '#platform/bus.ts';
import type { ChannelReply, PartMessage, SupervisorMessage } from '#platform/process-channel.ts';
import { SUPERVISOR_LIMITS } from './limits.ts';

export type Standing = 'next' | 'serving' | 'former';

/** The topics on which a member is asked that does not speak for its part. */
const ASKED: Readonly<Record<Exclude<Standing, 'serving'>, ReadonlySet<RequestTopic>>> = {
  next: new Set(['purge']),
  former: new Set(['purge', 'status']),
};

/** The topic whose messages wait for somebody who takes them: each is counted once, and never comes again. */
const KEPT_TOPIC: PublicationTopic = 'rollups';

/** One process on the bus. Only the hub changes it. */
export interface Member {
  readonly name: PartName;
  readonly standing: Standing;
}

interface Seat {
  name: PartName;
  standing: Standing;
  readonly send: (message: SupervisorMessage) => void;
  readonly subscriptions: Set<string>;
  readonly responds: Set<string>;
}

interface Gathering {
  /** Those asked, by the names they then had. */
  readonly waitingFor: Map<Member, PartName>;
  readonly replies: ChannelReply[];
  readonly finish: () => void;
}

interface Publication {
  readonly message: unknown;
  readonly from: PartName;
}

const RETAINED: ReadonlySet<string> = RETAINED_TOPICS;

export class Hub {
  readonly #seats = new Map<Member, Seat>();
  readonly #retained = new Map<string, Publication>();
  #kept: Publication[] = [];
  #rollupsKept = 0;
  readonly #gatherings = new Map<number, Gathering>();
  #lastGathering = 0;

  /** A process has started under this name; `send` reaches it. */
  join(name: PartName, standing: Standing, send: (message: SupervisorMessage) => void): Member {
    const seat: Seat = { name, standing, send, subscriptions: new Set(), responds: new Set() };
    this.#seats.set(seat, seat);
    return seat;
  }

  /** Another process is to take this one's place: it keeps up with the others under another name. */
  retire(member: Member, name: PartName): void {
    const seat = this.#seats.get(member);
    if (seat === undefined) return;
    seat.name = name;
    seat.standing = 'former';
    seat.subscriptions.delete(KEPT_TOPIC);
  }

  /** From now on this process is the part. */
  promote(member: Member, name: PartName): void {
    const seat = this.#seats.get(member);
    if (seat === undefined) return;
    seat.name = name;
    seat.standing = 'serving';
  }

  /** Its process has ended: whoever waits for its answer learns so. */
  leave(member: Member): void {
    if (!this.#seats.delete(member)) return;
    for (const gathering of [...this.#gatherings.values()]) {
      const name = gathering.waitingFor.get(member);
      if (name === undefined) continue;
      const isMissed = member.standing === 'serving';
      settle(gathering, member, isMissed ? { from: name, ok: false, error: 'the part ended' } : null);
    }
  }

  /** Generation of the configuration that was published last; 0 before the first. */
  get generation(): number {
    const last = this.#retained.get('snapshot')?.message as Partial<Snapshot> | null | undefined;
    return typeof last?.generation === 'number' ? last.generation : 0;
  }

  /** Handles what a part said; messages about starting and ending are the supervisor's, not the hub's. */
  receive(from: Member, message: PartMessage): void {
    const seat = this.#seats.get(from);
    if (seat === undefined) return;
    switch (message.kind) {
      case 'subscribe':
        this.#subscribe(seat, message.topic);
        break;
      case 'respond':
        seat.responds.add(message.topic);
        break;
      case 'publish':
        this.#publish(seat.name, message.topic, message.message);
        break;
      case 'request':
        this.#request(seat, message);
        break;
      case 'answer':
        this.#answer(seat, message);
        break;
      case 'loaded':
      case 'ready':
      case 'failed':
      case 'ended':
        break;
    }
  }

  #subscribe(seat: Seat, topic: string): void {
    seat.subscriptions.add(topic);
    const last = this.#retained.get(topic);
    if (last !== undefined) seat.send({ kind: 'deliver', topic, ...last });
    if (topic !== KEPT_TOPIC) return;
    for (const publication of this.#kept) seat.send({ kind: 'deliver', topic, ...publication });
    this.#kept = [];
    this.#rollupsKept = 0;
  }

  #publish(from: PartName, topic: string, message: unknown): void {
    if (RETAINED.has(topic)) this.#retained.set(topic, { message, from });
    let isTaken = false;
    for (const seat of this.#seats.values()) {
      if (!seat.subscriptions.has(topic)) continue;
      seat.send({ kind: 'deliver', topic, message, from });
      isTaken = true;
    }
    if (topic === KEPT_TOPIC && !isTaken) this.#keep({ message, from });
  }

  #keep(publication: Publication): void {
    const rollups = Array.isArray(publication.message) ? publication.message.length : 1;
    if (this.#rollupsKept + rollups > SUPERVISOR_LIMITS.rollupsKept) return;
    this.#rollupsKept += rollups;
    this.#kept.push(publication);
  }

  #answer(seat: Seat, message: Extract<PartMessage, { kind: 'answer' }>): void {
    const gathering = this.#gatherings.get(message.id);
    const name = gathering?.waitingFor.get(seat);
    if (gathering === undefined || name === undefined) return;
    const { ok, answer, error } = message;
    settle(gathering, seat, ok ? { from: name, ok, answer } : { from: name, ok, error: error ?? 'unknown' });
  }

  #request(asker: Seat, message: Extract<PartMessage, { kind: 'request' }>): void {
    const { topic, question, to, timeoutMs } = message;
    const asked = [...this.#seats.values()].filter(
      (seat) => isAsked(seat, topic) && (to === null || to.includes(seat.name)),
    );
    const replies: ChannelReply[] = [];
    if (asked.length === 0 || this.#gatherings.size >= SUPERVISOR_LIMITS.requestsMax) {
      asker.send({ kind: 'replies', id: message.id, replies });
      return;
    }
    const id = ++this.#lastGathering;
    const waitingFor = new Map<Member, PartName>(asked.map((seat) => [seat, seat.name]));
    const finish = () => {
      clearTimeout(timer);
      this.#gatherings.delete(id);
      for (const name of waitingFor.values()) {
        replies.push({ from: name, ok: false, error: `no answer within ${timeoutMs} ms` });
      }
      asker.send({ kind: 'replies', id: message.id, replies });
    };
    const timer = setTimeout(finish, timeoutMs);
    this.#gatherings.set(id, { waitingFor, replies, finish });
    for (const seat of asked) seat.send({ kind: 'ask', id, topic, question, from: asker.name });
  }
}

function isAsked({ standing, responds }: Seat, topic: string): boolean {
  if (!responds.has(topic)) return false;
  const topics: ReadonlySet<string> | null = standing === 'serving' ? null : ASKED[standing];
  return topics === null || topics.has(topic);
}

/** One of those asked has answered, or never will (null: and is not missed). */
function settle(gathering: Gathering, member: Member, reply: ChannelReply | null): void {
  gathering.waitingFor.delete(member);
  if (reply !== null) gathering.replies.push(reply);
  if (gathering.waitingFor.size === 0) gathering.finish();
}
