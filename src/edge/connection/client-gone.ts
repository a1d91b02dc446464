/** What writing to a client ends with when it has gone. */

/** Rejection of writing to a client that has gone or has stopped reading. */
export class ClientGone extends Error {
  constructor(reason: string) {
    super(`the client is gone: ${reason}`);
    this.name = 'ClientGone';
  }
}

/** A rejection that may stay unobserved: a road that has lost interest in a client must not end the process. */
export function rejectedAsGone(reason: string): Promise<never> {
  const rejected = Promise.reject(new ClientGone(reason));
  rejected.catch(ignore);
  return rejected;
}

function ignore(): void {}
