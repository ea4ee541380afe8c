# Debian 12 has no package of Mesos: the pillar names a repository of yours that has one.
mesos-repository:
  file.managed:
    - name: /etc/apt/sources.list.d/mesos.list
    - contents: {{ pillar['mesos']['repository'] | yaml_dquote }}

mesos:
  pkg.installed:
    - refresh: True
    - require:
      - file: mesos-repository
