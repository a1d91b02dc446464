/** Starts the console in the page. */
import '@fontsource-variable/inter';
import './styles/mantine.css';
import './styles/tokens.css';
import './styles/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { z } from 'zod';
import { createQueryClient } from './api/query-client.ts';
import { App } from './app.tsx';
import { createSession } from './session/session.ts';

// Schemas are interpreted: compiled ones need `eval`, which the page's content policy forbids.
z.config({ jitless: true });

const session = createSession(sessionStorage);
const queryClient = createQueryClient(session);
const root = document.getElementById('root');
if (root === null) throw new Error('the page has no element with the id "root"');
createRoot(root).render(
  <StrictMode>
    <App session={session} queryClient={queryClient} />
  </StrictMode>,
);
