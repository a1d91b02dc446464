/** Says that what is on the screen is old, since when, and what that does and does not mean. */
import SignalSlashIcon from '@heroicons/react/24/outline/SignalSlashIcon';
import { useEffect, useState } from 'react';
import type { Connection } from '../api/connection.ts';
import { formatDuration, formatTime } from '../format/duration.ts';
import classes from './shell.module.css';

function useNow(isTicking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isTicking) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isTicking]);
  return now;
}

export function ConnectionBanner({ connection }: { readonly connection: Connection }) {
  const isLost = connection.state === 'lost';
  const now = useNow(isLost);
  if (!isLost) return null;
  const { lastAnswerAt } = connection;
  return (
    <div className={classes.banner} role="alert" title={connection.reason ?? undefined}>
      <SignalSlashIcon width={20} aria-hidden="true" />
      {lastAnswerAt === null ? (
        <span>
          <strong>The control plane does not answer.</strong> The console tries again every two seconds.
        </span>
      ) : (
        <span>
          <strong>
            No answer from the control plane since {formatTime(lastAnswerAt)} (
            {formatDuration(Math.max(0, now - lastAnswerAt) / 1000)}).
          </strong>{' '}
          What you see is from then. Edges and name servers serve on without it.
        </span>
      )}
    </div>
  );
}
