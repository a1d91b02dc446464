/** The answer as a story in steps: who, which site, which POP, what the cache there has. */
import type { Explanation } from '#core/contract/explain.ts';
import { Panel } from '../../components/panel.tsx';
import { formatDistance } from '../../format/quantity.ts';
import { CacheSteps } from './cache-steps.tsx';
import classes from './explain.module.css';
import { Step } from './step.tsx';

const SOURCES = {
  operator: 'the operator’s own list says so',
  'geo-database': 'by the geography database',
  given: 'as you asked',
  none: 'nobody knows where that is',
} as const;

function ClientStep({ steering }: { readonly steering: NonNullable<Explanation['steering']> }) {
  const { client } = steering;
  return (
    <Step title="The user">
      <code>{client.address}</code> is in <strong>{client.place || 'an unknown place'}</strong>
      {client.country === null || client.place.includes(client.country) ? '' : `, ${client.country}`}:{' '}
      {SOURCES[client.source]} for {client.network}.
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
