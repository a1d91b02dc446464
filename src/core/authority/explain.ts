/**
 * Says what the name server would answer for a host and a client, and why: the same ranking, health and
 * hashes as `answer.ts`, in words. The first candidate is the chosen one.
 */
import { AppError } from '../base/app-error.ts';
import { combine32 } from '../base/mix32.ts';
import { encodeName } from '../dns/name.ts';
import { hashName } from '../dns/query.ts';
import { formatAddress, type IpAddress, parseAddress } from '../ip/address.ts';
import { cityOf, countryOf } from '../ip/geo-table.ts';
import { formatPrefix, maskAddress } from '../ip/prefix.ts';
import type { SteeringExplanation, SteeringQuestion } from '../model/messages.ts';
import type { Pop } from '../model/pop.ts';
import { CandidateOrders } from '../steering/candidate-orders.ts';
import { chooseEdges, createEdgeChoice, rendezvousScore } from '../steering/choose.ts';
import {
  clientPlaceOf,
  coordinatesOf,
  createLocated,
  type Located,
  locate,
  networkOfPlace,
  placeCount,
} from '../steering/locate.ts';
import { type RankedPop, rankPops } from '../steering/rank.ts';
import { DEAD, USABLE, WEAK } from '../steering/steering-health.ts';
import { choosePopForFamily } from './answer.ts';
import { findName } from './name-table.ts';
import type { AuthorityView } from './view.ts';

type Candidate = SteeringExplanation['candidates'][number];

/**
 * Explains the answer for the question's host (a site's name) to its client.
 * Throws AppError `invalid` for what is no address, `not-found` for a host that is not steered.
 */
export function explainSteering(view: AuthorityView, question: SteeringQuestion): SteeringExplanation {
  const { host, clientAddress, clientPlace } = question;
  const address = parseAddress(clientAddress);
  if (address === null) throw new AppError('invalid', `"${clientAddress}" is not an IPv4 or IPv6 address.`);
  const siteHash = siteHashOf(view, host);
  if (siteHash === null) {
    throw new AppError('not-found', `The name server steers no host "${host}". Add it to a site first.`);
  }
  const located = createLocated();
  locate(view.locator, address, located);
  const seen = clientPlace === undefined ? view : withGivenPlace(view, clientPlace, located);
  const chosen = choosePopForFamily(seen, located, 4);
  const chosenPop = chosen >= 0 ? chosen : choosePopForFamily(seen, located, 6);
  const client = describeClient(seen, address, located);
  return {
    name: host.toLowerCase(),
    client: clientPlace === undefined ? client : { ...client, place: clientPlace.name, source: 'given' },
    candidates: listCandidates(seen, located, siteHash, chosenPop),
    chosenPopId: view.zone.pops[chosenPop]?.id ?? null,
  };
}

/** The view for one question in which the client is where the asker says: one network more, after the others. */
function withGivenPlace(
  view: AuthorityView,
  { latitude, longitude, country }: NonNullable<SteeringQuestion['clientPlace']>,
  located: Located,
): AuthorityView {
  const network = { network: '', location: { latitude, longitude }, country, carrier: null };
  const locator = { ...view.locator, networks: [...view.locator.networks, network] };
  located.place = placeCount(view.locator);
  const orders = new CandidateOrders(view.zone.steering, view.policy, placeCount(locator), (place) =>
    clientPlaceOf(locator, place),
  );
  return { ...view, locator, orders };
}

function siteHashOf(view: AuthorityView, host: string): number | null {
  const name = encodeName(host);
  if (name === null) return null;
  const { names, nodes } = view.zone;
  const entry = findName(names, name, name.length, hashName(name));
  const node = entry < 0 ? undefined : nodes[names.nodes[entry] ?? 0];
  return node?.isSteered === true ? (names.siteHashes[entry] ?? null) : null;
}

function describeClient(
  view: AuthorityView,
  address: IpAddress,
  located: Located,
): SteeringExplanation['client'] {
  const { locator } = view;
  const network = networkOfPlace(locator, located.place);
  const isInDatabase = network === null && located.place > 0 && locator.geo !== null;
  const country = network?.country ?? (locator.geo === null ? null : countryOf(locator.geo, located.place));
  const city = isInDatabase && locator.geo !== null ? cityOf(locator.geo, located.place) : '';
  const coordinates = coordinatesOf(locator, located.place);
  const operatorPlace = [network?.network, network?.carrier].filter(Boolean).join(', ');
  return {
    address: formatAddress(address),
    network: formatPrefix({ address: maskAddress(address, located.scope), length: located.scope }),
    place: network === null ? [city, country].filter(Boolean).join(', ') || 'unknown' : operatorPlace,
    latitude: coordinates?.latitude ?? null,
    longitude: coordinates?.longitude ?? null,
    country,
    source: network !== null ? 'operator' : isInDatabase ? 'geo-database' : 'none',
  };
}

interface Walked extends RankedPop {
  readonly state: number;
  readonly score: number;
}

/** Candidates in the order in which a query tries them; drained ones, which it never tries, at the end. */
function listCandidates(
  view: AuthorityView,
  located: Located,
  siteHash: number,
  chosenPop: number,
): Candidate[] {
  const { zone, health, policy } = view;
  const { steering } = zone;
  const walked: Walked[] = rankPops(steering, policy, clientPlaceOf(view.locator, located.place)).map(
    (ranked) => ({
      ...ranked,
      state: health.popStates[ranked.pop] ?? DEAD,
      score: rendezvousScore(
        combine32(located.networkHash, steering.popHashes[ranked.pop] ?? 0),
        steering.weights[ranked.pop] ?? 1,
      ),
    }),
  );
  walked.sort(
    (first, second) =>
      Number(second.pop === chosenPop) - Number(first.pop === chosenPop) ||
      second.state - first.state ||
      first.tier - second.tier ||
      first.score - second.score,
  );
  const best = walked.find((candidate) => candidate.pop === chosenPop);
  const candidates = walked.map((candidate) => describeCandidate(view, candidate, best, siteHash));
  const drained = zone.pops.filter((_pop, index) => steering.isDrained[index] === 1);
  return [...candidates, ...drained.map(describeDrained)];
}

function describeCandidate(
  view: AuthorityView,
  candidate: Walked,
  chosen: Walked | undefined,
  siteHash: number,
): Candidate {
  const pop = view.zone.pops[candidate.pop];
  return {
    popId: pop?.id ?? '',
    name: pop?.name ?? '',
    distanceKm: candidate.distanceKm === null ? null : Math.round(candidate.distanceKm),
    costMs: candidate.costMs === null ? null : Math.round(candidate.costMs * 10) / 10,
    isUsable: candidate.state === USABLE,
    reason: reasonOf(candidate, chosen),
    addresses: addressesOf(view, candidate.pop, siteHash),
  };
}

function describeDrained(pop: Pop): Candidate {
  return {
    popId: pop.id,
    name: pop.name,
    distanceKm: null,
    costMs: null,
    isUsable: false,
    reason: 'drained: no new users are sent here',
    addresses: [],
  };
}

function reasonOf(candidate: Walked, chosen: Walked | undefined): string {
  if (candidate === chosen) return reasonForChosen(candidate);
  if (candidate.state === DEAD) return 'all of its edges are down';
  if (candidate.state === WEAK) return 'more than half of its edges are down';
  if (chosen !== undefined && candidate.tier === chosen.tier) {
    return 'about as near: the hash of the network preferred the chosen one';
  }
  if (candidate.costMs === null) return 'no distance is known';
  if (chosen?.costMs === null || chosen?.costMs === undefined) return 'not chosen';
  const difference = Math.round(candidate.costMs - chosen.costMs);
  return difference < 0 ? 'nearer, but without the address family asked for' : `costs ${difference} ms more`;
}

function reasonForChosen(candidate: Walked): string {
  if (candidate.state === DEAD) return 'chosen: every POP is down, so health is disregarded';
  if (candidate.state === WEAK) return 'chosen: no POP has half of its edges up';
  if (candidate.costMs === null) return 'chosen by hash: no distance is known';
  return 'chosen: the least cost among usable POPs';
}

/** What an answer would hold, A then AAAA. */
function addressesOf(view: AuthorityView, pop: number, siteHash: number): string[] {
  const { zone, health, policy } = view;
  const edges = zone.pops.flatMap((each) => each.edges);
  const addresses: string[] = [];
  for (const family of [4, 6] as const) {
    const choice = createEdgeChoice();
    chooseEdges(zone.steering, health, pop, siteHash, family, policy.answerAddresses, choice);
    for (const edge of choice.edges.subarray(0, choice.count)) {
      const address = edges[edge]?.addresses.find((text) => text.includes(':') === (family === 6));
      if (address !== undefined) addresses.push(address);
    }
  }
  return addresses;
}
