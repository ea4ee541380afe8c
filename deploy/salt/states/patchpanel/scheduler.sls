# The programs come from the image's archive (npm run build, node deploy/build.mjs --only image): Node.js and packages are in it.
patchpanel:
  user.present:
    - system: True
    - shell: /usr/sbin/nologin
    - home: /nonexistent
    - createhome: False

/var/cache/patchpanel/patchpanel.tar:
  file.managed:
    - source: {{ pillar['patchpanel']['archive'] }}
    - skip_verify: True
    - makedirs: True

unpack-patchpanel:
  cmd.run:
    - name: tar -xf /var/cache/patchpanel/patchpanel.tar -C / ./opt/patchpanel ./usr/local/bin/node
    - onchanges:
      - file: /var/cache/patchpanel/patchpanel.tar

/etc/patchpanel/scheduler.yaml:
  file.managed:
    - makedirs: True
    - contents:
      - 'master: [{{ pillar['mesos']['master_ip'] }}:5050]'
      - 'listen: [0.0.0.0:8080]'
      - 'advertiseUrl: http://{{ pillar['mesos']['master_ip'] }}:8080'

/etc/systemd/system/patchpanel-scheduler.service:
  file.managed:
    - source: salt://systemd/patchpanel-scheduler.service

patchpanel-scheduler:
  service.running:
    - enable: True
    - require:
      - user: patchpanel
      - cmd: unpack-patchpanel
    - watch:
      - file: /etc/patchpanel/scheduler.yaml
      - file: /etc/systemd/system/patchpanel-scheduler.service
