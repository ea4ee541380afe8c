# Every machine is a host for containers; the first one runs master and scheduler, too.
base:
  '*':
    - patchpanel.host
    - mesos.agent
  '{{ pillar['mesos']['master'] }}':
    - mesos.master
    - patchpanel.scheduler
