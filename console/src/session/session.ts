/**
 * The token of this browser tab. It comes from the address `perigee up` prints (`/#token=…`, which never
 * reaches a server or its log) or from the sign-in page, and is kept until the tab is closed or signed out.
 */
const STORAGE_KEY = 'perigee-token';
/** Longer pastes are no token and are not kept. */
const TOKEN_CHARACTERS_MAX = 512;

export interface SessionState {
  readonly token: string | null;
  /** Why the last token is gone, to be said on the sign-in page. */
  readonly refusal: string | null;
}

export interface Session {
  current(): SessionState;
  subscribe(listener: () => void): () => void;
  signIn(token: string): void;
  signOut(refusal?: string): void;
}

/** Takes the token out of the address bar, so that it is neither bookmarked nor left in the history. */
function takeTokenFromAddress(): string | null {
  const match = /^#token=([^&]+)$/.exec(location.hash);
  if (match?.[1] === undefined) return null;
  history.replaceState(null, '', location.pathname + location.search);
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return match[1];
  }
}

export function createSession(storage: Storage): Session {
  const listeners = new Set<() => void>();
  let state: SessionState = {
    token: takeTokenFromAddress() ?? storage.getItem(STORAGE_KEY),
    refusal: null,
  };
  if (state.token !== null) storage.setItem(STORAGE_KEY, state.token);

  function change(next: SessionState): void {
    state = next;
    if (next.token === null) storage.removeItem(STORAGE_KEY);
    else storage.setItem(STORAGE_KEY, next.token);
    for (const listener of listeners) listener();
  }

  // The link of `perigee up` opened over a console that is open already changes the fragment only.
  window.addEventListener('hashchange', () => {
    const token = takeTokenFromAddress();
    if (token !== null) change({ token, refusal: null });
  });

  return {
    current: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    signIn: (token) => change({ token: token.slice(0, TOKEN_CHARACTERS_MAX), refusal: null }),
    signOut: (refusal) => change({ token: null, refusal: refusal ?? null }),
  };
}
