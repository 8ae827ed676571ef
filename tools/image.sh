#!/usr/bin/env bash
# tools/image.sh PROGRAM VERSION ARCHIVE   writes an OCI image that has nothing but the static program.
set -euo pipefail

readonly program=$1 version=$2 archive=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Storage of its own and no namespaces: neither images of the user nor privileges of the kernel are needed.
build() { buildah --root "$scratch/storage" --runroot "$scratch/run" --storage-driver vfs "$@"; }

# USER has no name in an image without /etc/passwd. The data folder is the user's, and so is a volume made from it.
install -D --mode 755 "$program" "$scratch/files/usr/bin/hostbeat"
install --directory --mode 700 "$scratch/files/var/lib/hostbeat"

container=$(build from scratch)
build copy --quiet "$container" "$scratch/files/usr" /usr >/dev/null
build copy --quiet --chown 65532:65532 "$container" "$scratch/files/var/lib" /var/lib >/dev/null
build config \
    --user 65532:65532 --port 3000 --volume /var/lib/hostbeat --stop-signal SIGTERM \
    --entrypoint '["/usr/bin/hostbeat"]' --cmd '' \
    --env HOSTBEAT_LISTEN=0.0.0.0:3000 --env HOSTBEAT_AWAIT_USER=1 --env HOSTBEAT_DATA=/var/lib/hostbeat \
    --label org.opencontainers.image.title=Hostbeat --label org.opencontainers.image.version="$version" \
    --label org.opencontainers.image.licenses=MIT \
    "$container"
build commit --quiet --format oci --rm "$container" "oci-archive:$archive:hostbeat:$version" >/dev/null
