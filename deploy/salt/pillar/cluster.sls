# The machines of deploy/vagrant. Addresses are those of the underlay: tunnels, Mesos and the scheduler.
hosts:
  pp1: 192.168.56.11
  pp2: 192.168.56.12
  pp3: 192.168.56.13

mesos:
  master: pp1
  master_ip: 192.168.56.11
  # A line for APT; Debian itself has no Mesos.
  repository: 'deb [trusted=yes] file:/srv/mesos ./'

patchpanel:
  archive: /srv/dist/image/patchpanel.tar
