// Says of proofs and checkpoints, one JSON object a line of standard input, whether they hold: RFC 9162 by its recursive definition, nothing of the gateway.
// usage: node verify-proofs.mjs PUBLIC_KEY.pem KEY_ID     prints 1 or 0 for each
import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import { readFileSync } from 'node:fs';

const key = createPublicKey(readFileSync(process.argv[2]));
const node = (left, right) => createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();
const empty = createHash('sha256').digest();
const refuse = () => { throw new Error('it does not hold'); };
const half = n => { let k = 1; while (2 * k < n) k *= 2; return k; };

/** 2.1.3: the root that a leaf and its path make, the path read from its end. */
function rootOf(hash, leaf, size, path) {
  if (size === 1) return path.length ? refuse() : hash;
  const [k, sibling] = [half(size), path.pop() ?? refuse()];
  return leaf < k ? node(rootOf(hash, leaf, k, path), sibling) : node(sibling, rootOf(hash, leaf - k, size - k, path));
}

/** 2.1.4: the roots of then and now. */
function rootsOf(smaller, size, isWhole, old, path) {
  if (smaller === size) {
    if (isWhole) return [old, old];
    const hash = path.pop() ?? refuse();
    return [hash, hash];
  }
  const [k, sibling] = [half(size), path.pop() ?? refuse()];
  if (smaller <= k) {
    const [then, now] = rootsOf(smaller, k, isWhole, old, path);
    return [then, node(now, sibling)];
  }
  const [then, now] = rootsOf(smaller - k, size - k, false, old, path);
  return [node(sibling, then), node(sibling, now)];
}

function holds(said) {
  if (said.note !== undefined) {
    const [, body, signatures] = /^(gateway audit checkpoint v1\norigin [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\nepoch (?:0|[1-9]\d{0,8})\nsize (?:0|[1-9]\d{0,17})\nroot [A-Za-z0-9+/]{43}=\ntime \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\nprevious (?:-|[A-Za-z0-9+/]{43}=)\nbaseline .+\n\n)((?:— \S* \S+\n)+)$/.exec(said.note) ?? refuse();
    let signed = false;
    for (const line of signatures.trimEnd().split('\n')) {
      const [, id, text] = line.split(' ');
      const signature = Buffer.from(text, 'base64');
      if (signature.toString('base64') !== text) return false;
      if (id !== process.argv[3]) continue;
      if (!verifySignature('sha256', Buffer.from(body), key, signature)) return false;
      signed = true;
    }
    return signed;
  }
  const path = said.path.map(h => Buffer.from(h, 'hex'));
  const [then, now] = [Buffer.from(said.then, 'hex'), Buffer.from(said.now, 'hex')];
  if ([then, now, ...path].some(h => h.length !== 32)) return false;
  if (said.leaf !== undefined) return said.leaf >= 0 && said.leaf < said.size && rootOf(then, said.leaf, said.size, path).equals(now);
  if (said.smaller < 0 || said.smaller > said.size) return false;
  if (said.smaller === 0) return path.length === 0 && then.equals(empty) && (said.size > 0 || now.equals(empty));
  if (said.smaller === said.size) return path.length === 0 && then.equals(now);
  const [old, grown] = rootsOf(said.smaller, said.size, true, then, path);
  return path.length === 0 && old.equals(then) && grown.equals(now);
}

for (const line of readFileSync(0, 'utf8').split('\n').filter(l => l)) {
  let verdict = false;
  try {
    verdict = holds(JSON.parse(line));
  } catch {
    // what cannot be walked through does not hold
  }
  console.log(verdict ? 1 : 0);
}
