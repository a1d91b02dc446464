/** A bound on waiting for what cannot be called off: it goes on, and nobody looks at it any more. */

/** Rejects with `what`, not done within `ms`, when that is so. */
export function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what}: not done within ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
