/** Says why: where a user is sent for a URL, and what the cache there would do. The question is in the address, to be shared. */
import SearchIcon from '@heroicons/react/24/outline/MagnifyingGlassIcon';
import RouteIcon from '@heroicons/react/24/outline/MapPinIcon';
import { Button, Skeleton, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useSearchParams } from 'wouter';
import { useExplanation } from '../../api/queries.ts';
import { refusalText } from '../../api/refusal.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import pageClasses from '../../components/page.module.css';
import { PageHeader } from '../../components/page-header.tsx';
import { Panel } from '../../components/panel.tsx';
import { FormMessage } from '../../forms/form-message.tsx';
import { PlaceInput } from '../../forms/place-input.tsx';
import classes from './explain.module.css';
import { ExplanationStory } from './explanation-story.tsx';
import { SteeringMap } from './steering-map.tsx';

interface Question {
  readonly url: string;
  readonly from: string;
}

function QuestionForm(props: { readonly asked: Question; readonly onAsk: (question: Question) => void }) {
  const [url, setUrl] = useState(props.asked.url);
  const [from, setFrom] = useState(props.asked.from);
  const [problem, setProblem] = useState<string | null>(null);
  function submit(event: FormEvent) {
    event.preventDefault();
    const typed = url.trim();
    setProblem(typed === '' ? 'is missing: paste the URL in question' : null);
    if (typed === '') return;
    props.onAsk({ url: /^[a-z]+:\/\//i.test(typed) ? typed : `http://${typed}`, from: from.trim() });
  }
  return (
    <form className={classes.question} onSubmit={submit} noValidate>
      <TextInput
        label="URL"
        placeholder="https://www.example.com/style.css"
        value={url}
        onChange={(event) => setUrl(event.currentTarget.value)}
        error={problem}
        inputMode="url"
      />
      <PlaceInput
        label="For a user in"
        placeholder="a city or an IP address"
        value={from}
        onChange={setFrom}
      />
      <Button type="submit" leftSection={<SearchIcon width={17} />}>
        Explain
      </Button>
    </form>
  );
}

export default function ExplainPage() {
  const [parameters, setParameters] = useSearchParams();
  const asked = { url: parameters.get('url') ?? '', from: parameters.get('from') ?? '' };
  const explanation = useExplanation(asked.url === '' ? null : asked);
  return (
    <>
      <PageHeader
        title="Explain"
        description="Where a user is sent for a URL, what the cache there does with it, and why."
      />
      <div className={pageClasses.stack}>
        <Panel>
          <QuestionForm
            key={`${asked.url} ${asked.from}`}
            asked={asked}
            onAsk={(question) => setParameters({ ...question })}
          />
        </Panel>
        {asked.url === '' && (
          <Panel isFlush>
            <EmptyState Icon={RouteIcon} title="Why this POP? Why a miss?">
              Ask with a URL of one of your sites and a city or an address. The answer comes from the very
              functions that serve users, so it is what would happen at this moment.
            </EmptyState>
          </Panel>
        )}
        {explanation.error !== null && <FormMessage message={refusalText(explanation.error)} />}
        {explanation.isLoading && <Skeleton height={420} radius="lg" />}
        {explanation.data !== undefined && asked.url !== '' && (
          <div className={classes.answer}>
            <SteeringMap steering={explanation.data.steering} />
            <ExplanationStory explanation={explanation.data} />
          </div>
        )}
      </div>
    </>
  );
}
