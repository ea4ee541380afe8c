include:
  - mesos.install
  - patchpanel.host

/etc/default/mesos-agent:
  file.managed:
    - source: salt://mesos/agent.env
    - template: jinja

/etc/systemd/system/mesos-agent.service:
  file.managed:
    - source: salt://systemd/mesos-agent.service

mesos-agent:
  service.running:
    - enable: True
    - require:
      - pkg: mesos
      - service: docker
      - service: openvswitch-switch
    - watch:
      - file: /etc/default/mesos-agent
      - file: /etc/systemd/system/mesos-agent.service
