// Verifies an exported audit trail a second time, by another hand: RFC 9162 by its definition, nothing of the gateway.
// usage: node verify-trail.mjs EXPORT PUBLIC_KEY.pem     prints "sound" or the first fault; exit 0 or 1
import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

const sha = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const node = (left, right) => sha(Buffer.of(1), left, right);
const bytes = text => Buffer.from(text, 'base64');

/** The root over complete subtrees in their order: equal sizes are folded, and at the end all from the right. */
function rootOf(subtrees) {
  const stack = [];
  for (let [size, hash] of subtrees) {
    while (stack.length && stack.at(-1)[0] === size) {
      hash = node(stack.pop()[1], hash);
      size *= 2;
    }
    stack.push([size, hash]);
  }
  return stack.length ? stack.map(s => s[1]).reduceRight((right, left) => node(left, right)) : sha('');
}

/** The sizes of the fewest complete subtrees that make up the leaves from one up to another. */
function sizesOf(from, to) {
  const sizes = [];
  while (from < to) {
    let size = 1;
    while (from % (2 * size) === 0 && from + 2 * size <= to) size *= 2;
    sizes.push(size);
    from += size;
  }
  return sizes;
}

function faultOf(folder, publicKey) {
  const lines = name => readFileSync(join(folder, name), 'utf8').split('\n').filter(l => l).map(l => JSON.parse(l));
  const head = JSON.parse(readFileSync(join(folder, 'export.json'), 'utf8'));
  for (const entry of lines('unsealed.jsonl')) return `entry ${entry.ord} is in no leaf`;
  const signed = new Map();
  for (const [, body, signature] of readFileSync(join(folder, 'checkpoints.txt'), 'utf8').matchAll(/(gateway audit checkpoint v1\n[^]*?\n\n)— \w+ (\S+)\n/g)) {
    const said = Object.fromEntries(body.trim().split('\n').slice(1).map(l => [l.slice(0, l.indexOf(' ')), l.slice(l.indexOf(' ') + 1)]));
    if (said.origin !== head.origin || !verifySignature('sha256', Buffer.from(body), publicKey, bytes(signature))) return `the checkpoint of ${said.size} leaves is not signed`;
    signed.set(`${said.epoch} ${said.size}`, bytes(said.root));
  }
  const entries = lines('entries.jsonl');
  for (const { epoch, from, to, size, left, right } of head.epochs) {
    const subtrees = sizesOf(0, from).map((s, i) => [s, bytes(left[i])]);
    const own = entries.filter(e => e.epoch === epoch);
    for (let leaf = from; leaf < to; leaf++) {
      const entry = own[leaf - from];
      if (entry?.leaf !== leaf || entry.canonical === null) return `leaf ${leaf} is missing`;
      const content = bytes(entry.canonical);
      subtrees.push([1, sha(Buffer.of(0), content)]);
      const root = leaf + 1 < size ? signed.get(`${epoch} ${leaf + 1}`) : undefined;
      if (root && !root.equals(rootOf(subtrees))) return `leaf ${leaf} or one before it is not what was sealed`;
      try {
        const said = JSON.parse(content);
        if (!('ord' in said)) delete entry.columns.ord; // sealed before numbers were
        else if (said.ord !== entry.ord) return `leaf ${leaf} was sealed with the number ${said.ord}`;
        if (!isDeepStrictEqual(said, entry.columns)) return `leaf ${leaf} says something else in its columns`;
      } catch {
        return `leaf ${leaf} is no JSON`;
      }
    }
    subtrees.push(...sizesOf(to, size).map((s, i) => [s, bytes(right[i])]));
    if (!signed.get(`${epoch} ${size}`)?.equals(rootOf(subtrees))) return `the root of ${size} leaves is not the signed one`;
  }
}

const fault = faultOf(process.argv[2], createPublicKey(readFileSync(process.argv[3])));
console.log(fault ?? 'sound');
process.exit(fault ? 1 : 0);
