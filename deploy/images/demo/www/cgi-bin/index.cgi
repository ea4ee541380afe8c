#!/bin/sh
# One JSON object that names the incarnation which answered.
printf 'Content-Type: application/json\r\nConnection: close\r\n\r\n'
printf '{"slot":"%s","hostname":"%s","ip":"%s","version":"%s","task":"%s","client":"%s"}\n' \
  "$PATCHPANEL_SLOT" "$(hostname)" "$PATCHPANEL_IP" "${VERSION:-$MARATHON_APP_VERSION}" "$MESOS_TASK_ID" "$REMOTE_ADDR"
