/**
 * TLS on a connection of `Bun.listen`, begun after its first bytes were read: the way that Bun's own `node:tls`
 * goes, without its streams. Not all of it is in Bun's types; the tests hold it to what `node:tls` does.
 */
import type { X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';

/** To whom the runtime tells what happens on a connection. */
export interface SocketReceiver {
  received(bytes: Buffer): void;
  drained(): void;
  ended(): void;
  closed(error: Error | undefined): void;
}

/** What a handshake ended with. */
export interface TlsOutcome {
  /** Null: none was agreed on. */
  readonly alpnProtocol: string | null;
  /** Such as `TLSv1.3`. */
  readonly protocol: string;
  /** Undefined: the other side showed none. */
  readonly peerCertificate: () => X509Certificate | undefined;
  readonly isAuthorized: boolean;
}

export interface LeanTlsOptions {
  readonly context: SecureContext;
  /** As in the ProtocolNameList of RFC 7301 §3.1. */
  readonly alpnProtocols: Buffer;
  readonly asksForCertificate: boolean;
  /** What came on the connection so far. */
  readonly firstBytes: Buffer;
  /** Called once, unless the connection closes before. Null: the handshake failed, and the other side knows. */
  readonly onHandshake: (outcome: TlsOutcome | null) => void;
}

/** A connection or the TLS on it, as the runtime has it. */
export type LeanHandle = Bun.Socket<SocketReceiver> & {
  /** The system's number for it. */
  readonly fd: number;
  pause(): void;
  resume(): void;
  upgradeTLS(options: UpgradeOptions): [LeanHandle, LeanHandle];
  getPeerX509Certificate(): X509Certificate | undefined;
};

interface UpgradeOptions {
  readonly data: SocketReceiver;
  readonly isServer: true;
  readonly initialData: Buffer;
  readonly socket: Bun.SocketHandler<SocketReceiver>;
  readonly tls: {
    readonly secureContext: unknown;
    readonly requestCert: boolean;
    readonly rejectUnauthorized: false;
    readonly ALPNProtocols: Buffer;
  };
}

/** Receives what nobody wants. */
export const NOBODY: SocketReceiver = { received() {}, drained() {}, ended() {}, closed() {} };

/** The connection below, and the TLS on it, which tells `receiver`. */
export function startTls(
  transport: LeanHandle,
  receiver: SocketReceiver,
  options: LeanTlsOptions,
): [LeanHandle, LeanHandle] {
  const start = new TlsStart(receiver, options.onHandshake);
  const pair = transport.upgradeTLS({
    data: start,
    isServer: true,
    initialData: options.firstBytes,
    socket: HANDLERS,
    tls: {
      secureContext: (options.context as { context?: unknown }).context,
      requestCert: options.asksForCertificate,
      rejectUnauthorized: false,
      ALPNProtocols: options.alpnProtocols,
    },
  });
  start.begin();
  return pair;
}

/** What the runtime tells until the handshake is over. */
class TlsStart implements SocketReceiver {
  readonly receiver: SocketReceiver;
  readonly #onHandshake: LeanTlsOptions['onHandshake'];
  /** What was told before the caller of `startTls` knows the handles. */
  #early: TlsOutcome | null | undefined;
  #hasBegun = false;

  constructor(receiver: SocketReceiver, onHandshake: LeanTlsOptions['onHandshake']) {
    this.receiver = receiver;
    this.#onHandshake = onHandshake;
  }

  begin(): void {
    this.#hasBegun = true;
    const early = this.#early;
    if (early !== undefined) queueMicrotask(() => this.#onHandshake(early));
  }

  finish(outcome: TlsOutcome | null): void {
    if (this.#hasBegun) this.#onHandshake(outcome);
    else this.#early = outcome;
  }

  received(): void {}

  drained(): void {}

  ended(): void {
    this.receiver.ended();
  }

  closed(error: Error | undefined): void {
    this.receiver.closed(error);
  }
}

const HANDLERS: Bun.SocketHandler<SocketReceiver> = {
  open() {},
  handshake(socket, isDone) {
    const start = socket.data;
    if (!(start instanceof TlsStart)) return;
    const handle = socket as LeanHandle;
    handle.data = start.receiver;
    start.finish(isDone ? outcomeOf(handle) : null);
  },
  data: (handle, bytes) => handle.data.received(bytes),
  drain: (handle) => handle.data.drained(),
  end: (handle) => handle.data.ended(),
  close: (handle, error) => handle.data.closed(error),
  error: (_handle, error) => {
    // What a listener of ours throws is a fault of ours: it ends where every other one does.
    queueMicrotask(() => {
      throw error;
    });
  },
};

function outcomeOf(handle: LeanHandle): TlsOutcome {
  const { alpnProtocol, authorized } = handle;
  return {
    alpnProtocol: typeof alpnProtocol === 'string' ? alpnProtocol : null,
    protocol: handle.getTLSVersion(),
    peerCertificate: () => handle.getPeerX509Certificate(),
    isAuthorized: authorized,
  };
}
