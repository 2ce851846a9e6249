# syntax=docker/dockerfile:1

# The program is built with everything that development needs, and none of that is in the image.
FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY integrations/openclaw/package.json ./integrations/openclaw/
RUN npm ci --workspaces=false --ignore-scripts --loglevel=error
COPY drizzle ./drizzle
COPY scripts ./scripts
COPY src ./src
# npm makes a program executable where it installs one; nothing does where it is copied.
RUN npx tsx scripts/build.ts && node dist/store/embedded/engine/build-image.js && chmod +x dist/cli/main.js

# What runs: the packages of package.json's "dependencies", without a compiler and without install scripts.
FROM node:22-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY integrations/openclaw/package.json ./integrations/openclaw/
RUN npm ci --omit=dev --workspaces=false --ignore-scripts --loglevel=error

FROM node:22-slim
ENV NODE_ENV=production \
    VERBATIM_HOME=/var/lib/verbatim \
    VERBATIM_HTTP_HOST=0.0.0.0
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY drizzle ./drizzle
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/verbatim \
    && ln --symbolic /app/dist/cli/main.js /usr/local/bin/verbatim
USER node
VOLUME /var/lib/verbatim
EXPOSE 8377
# Whether the process answers; /readyz says whether the store does, which a restart would not mend.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.VERBATIM_HTTP_PORT || 8377}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["verbatim"]
CMD ["serve"]
