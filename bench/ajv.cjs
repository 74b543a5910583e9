// How long ajv takes to validate a document in memory, its median in milliseconds.
// Arguments: the folder node_modules, the schema, the document, how often.
'use strict';
const fs = require('fs');
const path = require('path');
const { performance } = require('perf_hooks');
const [modules, schema, document, repetitions] = process.argv.slice(2);
const Ajv = require(path.join(modules, 'ajv'));
const addFormats = require(path.join(modules, 'ajv-formats'));

const ajv = new Ajv({ strict: false });
addFormats(ajv);
const validate = ajv.compile(JSON.parse(fs.readFileSync(schema, 'utf8')));
const parsed = JSON.parse(fs.readFileSync(document, 'utf8'));
const times = [];
for (let round = -2; round < Number(repetitions); round++) { // the first rounds warm up
  const start = performance.now();
  const valid = validate(parsed);
  const time = performance.now() - start;
  if (!valid) throw new Error(JSON.stringify(validate.errors));
  if (round >= 0) times.push(time);
}
console.log(times.sort((a, b) => a - b)[Math.floor(times.length / 2)]);
