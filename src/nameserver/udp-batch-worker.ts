/**
 * The thread of the batch listener: takes up to 64 queries by one system call, answers them in place, sends
 * the answers by another. It waits in the kernel and not in its event loop; before it goes there it looks
 * at a word of shared memory that says whether news or the end have come.
 */
import { errorMessage } from '#core/base/error-message.ts';
import type { AddressRegister } from '#core/ip/address.ts';
import type { CounterBlock } from './counters.ts';
import { openUdpCalls, PacketBatch } from './libc-udp.ts';
import { type AnswererNews, LiveAnswerer } from './live-answerer.ts';

/** Words of the shared control memory. */
export const CONTROL = { newsSent: 0, isClosing: 1 } as const;

export interface BatchStart {
  readonly kind: 'start';
  readonly descriptor: number;
  readonly identity: string;
  readonly counters: CounterBlock;
  readonly control: Int32Array;
}

export type BatchMessage = BatchStart | { readonly kind: 'news'; readonly news: AnswererNews };
/** What the thread reports. */
export type BatchReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'closed' }
  /** How many pieces of news are in force. */
  | { readonly kind: 'news'; readonly received: number }
  | { readonly kind: 'failure'; readonly cause: string };

/** A call of recvmmsg that fails at once, again and again, must not burn a core. */
const FAILURE_PAUSE_MS = 10;
const QUICK_FAILURES_MAX = 100;

declare const self: {
  onmessage: ((event: { readonly data: BatchMessage }) => void) | null;
  postMessage(report: BatchReport): void;
};

if (!Bun.isMainThread) runThread();

function runThread(): void {
  let answerer: LiveAnswerer | null = null;
  let newsReceived = 0;
  self.onmessage = ({ data }) => {
    if (data.kind === 'start') {
      answerer = new LiveAnswerer(data.identity, data.counters);
      void serve(data, answerer, () => newsReceived);
      return;
    }
    newsReceived += 1;
    try {
      answerer?.receive(data.news);
    } catch (error) {
      self.postMessage({ kind: 'failure', cause: errorMessage(error) });
    }
    self.postMessage({ kind: 'news', received: newsReceived });
  };
}

async function serve(start: BatchStart, answerer: LiveAnswerer, newsReceived: () => number): Promise<void> {
  const { control, descriptor } = start;
  const libc = openUdpCalls();
  if (libc === null) {
    self.postMessage({ kind: 'failure', cause: 'no C library to call' });
    return;
  }
  const batch = new PacketBatch(libc, descriptor);
  self.postMessage({ kind: 'ready' });
  while (Atomics.load(control, CONTROL.isClosing) === 0) {
    // Messages come in through the event loop, so it gets a turn while some are under way.
    if (newsReceived() !== Atomics.load(control, CONTROL.newsSent)) await pause(0);
    else if (!serveBatches(batch, answerer, control, newsReceived())) await pause(FAILURE_PAUSE_MS);
  }
  self.postMessage({ kind: 'closed' });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Answers until news or the end come; false when the socket gives nothing but quick failures. */
function serveBatches(
  batch: PacketBatch,
  answerer: LiveAnswerer,
  control: Int32Array,
  newsReceived: number,
): boolean {
  const sender: AddressRegister = { family: 4, word0: 0, word1: 0, word2: 0, word3: 0 };
  let emptyCalls = 0;
  while (
    Atomics.load(control, CONTROL.newsSent) === newsReceived &&
    Atomics.load(control, CONTROL.isClosing) === 0
  ) {
    const count = batch.receive();
    if (count <= 0) {
      emptyCalls += 1;
      if (emptyCalls > QUICK_FAILURES_MAX) return false;
      continue;
    }
    emptyCalls = 0;
    for (let slot = 0; slot < count; slot += 1) {
      batch.readSender(slot, sender);
      const query = batch.queries[slot] as Uint8Array;
      const output = batch.answers[slot] as Uint8Array;
      batch.setAnswerLength(slot, answerer.answer(query, batch.queryLength(slot), sender, output, false));
    }
    batch.send(count);
  }
  return true;
}
