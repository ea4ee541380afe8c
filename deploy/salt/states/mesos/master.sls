include:
  - mesos.install

/etc/default/mesos-master:
  file.managed:
    - contents:
      - MESOS_IP={{ pillar['mesos']['master_ip'] }}
      - MESOS_HOSTNAME={{ grains['id'] }}
      - MESOS_WORK_DIR=/var/lib/mesos-master
      # Alone: no ZooKeeper. With several masters give MESOS_ZK and a quorum.
      - MESOS_REGISTRY=replicated_log
      - MESOS_QUORUM=1

mesos-master:
  service.running:
    - enable: True
    - watch:
      - pkg: mesos
      - file: /etc/default/mesos-master
