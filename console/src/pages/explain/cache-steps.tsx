/** What one edge worker would do with the URL: rule, cache key, stored response and its freshness. */
import type { Explanation } from '#core/contract/explain.ts';
import { ShareBar } from '../../components/share-bar.tsx';
import { StateBadge } from '../../components/state-badge.tsx';
import { formatDuration } from '../../format/duration.ts';
import { formatBytes } from '../../format/quantity.ts';
import { describeDecision } from './decision-text.ts';
import classes from './explain.module.css';
import { Step } from './step.tsx';

type Cache = Explanation['caches'][number];

function Freshness({ stored }: { readonly stored: NonNullable<Cache['stored']> }) {
  const leftSeconds = stored.freshnessLifetimeSeconds - stored.ageSeconds;
  const share = stored.freshnessLifetimeSeconds > 0 ? stored.ageSeconds / stored.freshnessLifetimeSeconds : 1;
  return (
    <div className={classes.freshness}>
      <ShareBar share={share} color={stored.isFresh ? 'var(--good)' : 'var(--origin)'} />
      <div>
        {formatDuration(stored.ageSeconds)} old of a lifetime of{' '}
        {formatDuration(stored.freshnessLifetimeSeconds)}
        {stored.isFresh
          ? `: fresh for another ${formatDuration(leftSeconds)}`
          : `: stale for ${formatDuration(Math.max(0, -leftSeconds))}`}
      </div>
    </div>
  );
}

function StoredResponse({ stored }: { readonly stored: NonNullable<Cache['stored']> }) {
  return (
    <>
      <StateBadge tone={stored.isFresh ? 'good' : 'warning'}>{stored.isFresh ? 'Fresh' : 'Stale'}</StateBadge>{' '}
      A response <code>{stored.status}</code> of {formatBytes(stored.bodyLength)} is stored
      {stored.etag === null ? '' : ', '}
      {stored.etag !== null && <code>{stored.etag}</code>}.
      <Freshness stored={stored} />
      {stored.tags.length > 0 && <div>Tags: {stored.tags.join(', ')}</div>}
    </>
  );
}

export function CacheSteps(props: { readonly cache: Cache; readonly isOneOfMany: boolean }) {
  const { cache } = props;
  return (
    <Step title={props.isOneOfMany ? `The cache of ${cache.part}` : 'The cache'}>
      <dl className={classes.facts}>
        <dt>Rule</dt>
        <dd>
          {cache.rule === null
            ? 'none applies; the origin decides'
            : `${cache.rule.index + 1}: ${cache.rule.description}`}
        </dd>
        {cache.cacheKey !== null && (
          <>
            <dt>Cache key</dt>
            <dd>
              <code>{cache.cacheKey}</code>
            </dd>
          </>
        )}
        <dt>Decision</dt>
        <dd>
          <code>{cache.decision}</code>
          <div>{describeDecision(cache.decision)}</div>
        </dd>
      </dl>
      {cache.stored === null ? (
        <>
          <StateBadge tone="quiet">Not stored</StateBadge> This cache has no response for the key.
        </>
      ) : (
        <StoredResponse stored={cache.stored} />
      )}
    </Step>
  );
}
