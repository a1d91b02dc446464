/**
 * Whose turn it is to send (RFC 9218 §10): the most urgent first; among equals one after the other, except
 * those whose responses are of use in parts, which take turns, and those that go on for long. Who cannot send
 * for want of window is passed over, so that nobody waits for a peer that does not read one of its streams.
 *
 *     urgency 0: [a]      a until it has nothing left
 *     urgency 3: [b i c]  one frame of b … b is done, or has sent 512 KiB; one of i, which goes to the end; c …
 */
import type { Priority } from '#core/http/priority.ts';
import type { StreamSender } from './stream-sender.ts';

const URGENCIES = 8;
/** Half a mebibyte: what pages are made of comes whole, one after the other; a download keeps nobody waiting for its end. */
const FRAMES_PER_TURN = 32;

export class Scheduler {
  readonly #queues: StreamSender[][] = Array.from({ length: URGENCIES }, () => []);
  #size = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  add(sender: StreamSender): void {
    if (sender.isQueued) return;
    sender.isQueued = true;
    this.#queueOf(sender.priority).push(sender);
    this.#size += 1;
  }

  remove(sender: StreamSender): void {
    if (!sender.isQueued) return;
    sender.isQueued = false;
    const queue = this.#queueOf(sender.priority);
    queue.splice(queue.indexOf(sender), 1);
    this.#size -= 1;
  }

  /** Gives it another priority, wherever it is. */
  reprioritise(sender: StreamSender, priority: Priority): void {
    const wasQueued = sender.isQueued;
    this.remove(sender);
    sender.priority = priority;
    if (wasQueued) this.add(sender);
  }

  /** Who sends the next frame; null when nobody can. */
  next(connectionWindow: number): StreamSender | null {
    if (this.#size === 0) return null;
    for (const queue of this.#queues) {
      for (let i = 0; i < queue.length; i += 1) {
        const sender = queue[i] as StreamSender;
        if (!sender.maySend(connectionWindow)) continue;
        sender.turnFrames += 1;
        if (queue.length > 1 && (sender.priority.isIncremental || sender.turnFrames >= FRAMES_PER_TURN)) {
          sender.turnFrames = 0;
          queue.splice(i, 1);
          queue.push(sender);
        }
        return sender;
      }
    }
    return null;
  }

  #queueOf(priority: Priority): StreamSender[] {
    return this.#queues[priority.urgency] as StreamSender[];
  }
}
