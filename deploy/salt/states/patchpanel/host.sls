# What an agent must have for Patchpanel's executor, which brings its own Node.js. `patchpanel doctor` checks it.
host-packages:
  pkg.installed:
    - pkgs:
      - docker.io
      - openvswitch-switch
      - dnsmasq-base
      - iproute2
      - ethtool
      - nftables

/etc/modules-load.d/patchpanel.conf:
  file.managed:
    - source: salt://systemd/patchpanel.modules.conf

{% for module in ['openvswitch', 'vxlan', 'geneve', 'nf_conntrack'] %}
module-{{ module }}:
  kmod.present:
    - name: {{ module }}
{% endfor %}

{% for service in ['docker', 'openvswitch-switch'] %}
{{ service }}:
  service.running:
    - enable: True
    - require:
      - pkg: host-packages
{% endfor %}

# dnsmasq-base is the program alone: no server of the machine's own is to take port 53.
/etc/patchpanel/executor.yaml:
  file.managed:
    - makedirs: True
    - contents:
      - 'underlayIp: {{ pillar['hosts'][grains['id']] }}'
