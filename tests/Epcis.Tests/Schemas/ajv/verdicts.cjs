// Verdicts of JSON Schemas on documents. Arguments: NAME=FILE for each schema. Input: one document a line, as a JSON string.
// Output: for each a line {"NAME": {"valid": ..., "byLibrary": ..., "error": ...}}, or {"error": ...} when it is no JSON.
// "valid" asserts the formats as their RFCs define them, "byLibrary" as ajv-formats does, which differs in few points.
'use strict';
const fs = require('fs');
const readline = require('readline');
const Ajv = require('ajv');
const addFormats = require('ajv-formats');

// RFC 3986, appendix A, rule by rule.
const hex = '[0-9A-Fa-f]';
const pct = `%${hex}${hex}`;
const plain = "A-Za-z0-9\\-._~!$&'()*+,;=";
const pchar = `(?:[${plain}:@]|${pct})`;
const h16 = `${hex}{1,4}`;
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]\\d|\\d)';
const ls32 = `(?:${h16}:${h16}|${octet}\\.${octet}\\.${octet}\\.${octet})`;
const upTo = n => `(?:(?:${h16}:){0,${n}}${h16})?::`;
const ipv6 = `(?:(?:${h16}:){6}${ls32}|::(?:${h16}:){5}${ls32}|(?:${h16})?::(?:${h16}:){4}${ls32}|${upTo(1)}(?:${h16}:){3}${ls32}`
  + `|${upTo(2)}(?:${h16}:){2}${ls32}|${upTo(3)}${h16}:${ls32}|${upTo(4)}${ls32}|${upTo(5)}${h16}|${upTo(6)})`;
const authority = `(?:(?:[${plain}:]|${pct})*@)?(?:\\[(?:${ipv6}|[vV]${hex}+\\.[${plain}:]+)\\]|(?:[${plain}]|${pct})*)(?::\\d*)?`;
const hierarchy = `(?:\\/\\/${authority}(?:\\/${pchar}*)*|\\/(?:${pchar}+(?:\\/${pchar}*)*)?|${pchar}+(?:\\/${pchar}*)*|)`;
const uri = new RegExp(`^[A-Za-z][A-Za-z0-9+\\-.]*:${hierarchy}(?:\\?(?:${pchar}|[/?])*)?(?:#(?:${pchar}|[/?])*)?$`);

// RFC 3339, 5.6 and 5.7. A leap second is the last of a day in UTC.
const instant = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
function isInstant(text) {
  const parts = instant.exec(text);
  if (!parts) return false;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  const [offsetHour, offsetMinute] = [Number(parts[8] || 0), Number(parts[9] || 0)];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  if (month < 1 || month > 12 || day < 1 || day > days[month - 1] || hour > 23 || minute > 59 || offsetHour > 23 || offsetMinute > 59) return false;
  const utc = hour * 60 + minute - (parts[7] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  return second < 60 || (second === 60 && (utc + 2880) % 1440 === 1439);
}

function compile(file, formats) {
  const ajv = new Ajv({ strict: false, formats });
  if (!formats) addFormats(ajv);
  return ajv.compile(JSON.parse(fs.readFileSync(file, 'utf8')));
}

const schemas = process.argv.slice(2).map(argument => {
  const [name, file] = argument.split('=');
  return { name, byRfc: compile(file, { uri, 'date-time': isInstant }), byLibrary: compile(file) };
});

function verdicts(text) {
  let document;
  try {
    document = JSON.parse(text);
  } catch (e) {
    return { error: e.message };
  }
  return Object.fromEntries(schemas.map(({ name, byRfc, byLibrary }) => {
    const valid = byRfc(document);
    return [name, {
      valid,
      byLibrary: byLibrary(document),
      error: valid ? undefined : byRfc.errors.map(e => `${e.instancePath} ${e.message}`).join('; ').slice(0, 500),
    }];
  }));
}

readline.createInterface({ input: process.stdin, crlfDelay: Infinity })
  .on('line', line => process.stdout.write(JSON.stringify(verdicts(JSON.parse(line))) + '\n'));
