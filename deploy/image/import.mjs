#!/usr/bin/env node
// Gives the image that `npm run image` made to the Docker Engine at DOCKER_HOST (or the machine's) and prints its name.
import { createReadStream } from 'node:fs';
import Docker from 'dockerode';
import { imageArchive, imageRecipe } from '../build/image.mjs';

const { repository, tag, changes } = await imageRecipe();
const docker = new Docker();
const progress = await docker.importImage(createReadStream(imageArchive), { repo: repository, tag, changes });
await new Promise((resolve, reject) => {
  docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
});
const { Size } = await docker.getImage(`${repository}:${tag}`).inspect();
console.log(`${repository}:${tag} (${Math.round(Size / 2 ** 20)} MiB)`);
