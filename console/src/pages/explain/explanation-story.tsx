/** The answer as a story in steps: who, which site, which POP, what the cache there has. */
import type { Explanation } from '#core/contract/explain.ts';
import { Panel } from '../../components/panel.tsx';
import { formatDistance } from '../../format/quantity.ts';
import { CacheSteps } from './cache-steps.tsx';
import classes from './explain.module.css';
import { Step } from './step.tsx';

const SOURCES = {
  operator: 'The operator’s own list places',
  'geo-database': 'The geography database places',
} as const;

function ClientStep({ steering }: { readonly steering: NonNullable<Explanation['steering']> }) {
  const { address, country, network, place, source } = steering.client;
  if (source === 'none') {
    return (
      <Step title="The user">
        Nobody knows where <code>{address}</code> is, so distance plays no part.
      </Step>
    );
  }
  const where = country === null || place.includes(country) ? place : `${place}, ${country}`;
  if (source === 'given') {
    return (
      <Step title="The user">
        You asked for a user in <strong>{where}</strong>.
      </Step>
    );
  }
  return (
    <Step title="The user">
      <code>{address}</code> is in <strong>{where}</strong>. {SOURCES[source]} {network} there.
    </Step>
  );
}

function SiteStep({ explanation }: { readonly explanation: Explanation }) {
  if (explanation.site === null) {
    return (
      <Step title="The site">
        No site has the host <code>{explanation.host}</code>. An edge would answer that it does not serve it.
      </Step>
    );
  }
  return (
    <Step title="The site">
      <code>{explanation.host}</code> belongs to the site <strong>{explanation.site.id}</strong>; its name in
      DNS is <code>{explanation.site.cname}</code>.
    </Step>
  );
}

function PopStep({ steering }: { readonly steering: NonNullable<Explanation['steering']> }) {
  const chosen = steering.candidates.find(({ popId }) => popId === steering.chosenPopId);
  if (chosen === undefined) return <Step title="The POP">No POP can take this user at the moment.</Step>;
  return (
    <Step title="The POP">
      The name server answers <code>{chosen.addresses.join(', ')}</code>: <strong>{chosen.name}</strong>
      {chosen.distanceKm === null ? '' : `, ${formatDistance(chosen.distanceKm)} away`}.
    </Step>
  );
}

export function ExplanationStory({ explanation }: { readonly explanation: Explanation }) {
  const { steering, caches, notes } = explanation;
  return (
    <Panel title="What happens">
      <ol className={classes.story}>
        {steering !== null && <ClientStep steering={steering} />}
        <SiteStep explanation={explanation} />
        {steering !== null && <PopStep steering={steering} />}
        {caches.map((cache) => (
          <CacheSteps key={cache.part} cache={cache} isOneOfMany={caches.length > 1} />
        ))}
        {notes.length > 0 && (
          <Step title="To be noted">
            {notes.map((note) => (
              <p key={note}>{note}</p>
            ))}
          </Step>
        )}
      </ol>
    </Panel>
  );
}
