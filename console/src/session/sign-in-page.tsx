/** Asks for a token, tries it, and says what to do when it is not accepted. */
import { Alert, Button, PasswordInput, Stack } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { createApiClient } from '#core/contract/client.ts';
import { isUnauthenticated, refusalText } from '../api/refusal.ts';
import { sendFromBrowser } from '../api/send.ts';
import { Logo } from '../shell/logo.tsx';
import { useSession, useSessionState } from './session-context.tsx';
import classes from './sign-in.module.css';

const REFUSED =
  'This token is not valid. Take the one that “perigee up” printed last, or ask whoever runs this CDN for one.';

export default function SignInPage() {
  const session = useSession();
  const { refusal } = useSessionState();
  const [token, setToken] = useState('');
  const [message, setMessage] = useState(refusal);
  const [isTrying, setIsTrying] = useState(false);

  async function tryToken(event: FormEvent) {
    event.preventDefault();
    const trimmed = token.trim();
    if (trimmed === '') {
      setMessage('Paste a token first.');
      return;
    }
    setIsTrying(true);
    try {
      await createApiClient({ baseUrl: '', token: trimmed, send: sendFromBrowser }).getStatus();
      session.signIn(trimmed);
    } catch (error) {
      setMessage(isUnauthenticated(error) ? REFUSED : refusalText(error));
      setIsTrying(false);
    }
  }

  return (
    <main className={classes.page}>
      <div className={classes.card}>
        <Logo size={34} />
        <h1>Sign in to the console</h1>
        <p>
          When Perigee starts it prints a link that signs you in. Open that link, or paste the token at its
          end here. It stays in this browser tab only.
        </p>
        <form onSubmit={tryToken} noValidate>
          <Stack gap="sm">
            {message !== null && (
              <Alert color="red" variant="light" role="alert">
                {message}
              </Alert>
            )}
            <PasswordInput
              label="Token"
              autoComplete="current-password"
              value={token}
              onChange={(event) => setToken(event.currentTarget.value)}
              data-autofocus
            />
            <Button type="submit" loading={isTrying} fullWidth>
              Sign in
            </Button>
          </Stack>
        </form>
      </div>
    </main>
  );
}
