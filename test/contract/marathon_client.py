#!/usr/bin/python3
"""Drives a scheduler with Debian's python3-marathon, a client that was written for Marathon and knows nothing of
Patchpanel: every call of it that Marathon answers must be answered here, in a form that it can read.

Usage: marathon_client.py URL   (an empty scheduler; prints one line for each thing that it tried)
"""
import logging
import sys
import threading
import time

from marathon import MarathonClient
from marathon.exceptions import ConflictError, MarathonHttpError, NotFoundError
from marathon.models import MarathonApp, MarathonConstraint, MarathonGroup, MarathonHealthCheck
from marathon.models.container import MarathonContainer, MarathonContainerPortMapping, MarathonDockerContainer

DEADLINE_SECONDS = 60

logging.getLogger('marathon').setLevel(logging.CRITICAL)
client = MarathonClient(sys.argv[1])


def step(function):
    """Runs a step and says so; what it raises ends the program."""
    print(f'trying: {function.__doc__}', flush=True)
    function()
    return function


def until(what, condition):
    """Waits for a condition; the API is asked again after a moment, as clients of Marathon do."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise TimeoutError(what)


def settled():
    """No deployment is under way."""
    until('deployments end', lambda: not client.list_deployments())


def definition(**fields):
    """A small app on the host's network."""
    image = MarathonDockerContainer(image='busybox')
    return MarathonApp(**{'cpus': 0.01, 'mem': 8, 'instances': 2, 'cmd': 'exec sleep 100000',
                          'container': MarathonContainer(docker=image), **fields})


def refused(error, function):
    try:
        function()
    except error as refusal:
        return refusal
    raise AssertionError(f'{error.__name__} was expected')


class Events(threading.Thread):
    """Collects the event stream."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen = []
        self.failure = None
        self.start()

    def run(self):
        try:
            for event in MarathonClient(sys.argv[1]).event_stream():
                self.seen.append(event)
        except Exception as failure:  # the main thread tells it
            self.failure = failure

    def of(self, kind):
        if self.failure is not None:
            raise self.failure
        return [event for event in self.seen if event.event_type == kind]


events = Events()


@step
def attach():
    """the event stream"""
    until('the stream tells of its own beginning', lambda: events.of('event_stream_attached'))


@step
def who():
    """ping, info, leader, metrics"""
    assert client.ping() == b'"pong"', client.ping()
    info = client.get_info()
    assert info.elected and info.framework_id and info.marathon_config.mesos_role == '*', info
    assert client.get_leader()['leader'] == info.leader
    assert 'gauges' in client.get_metrics()
    assert client.list_event_subscriptions() == []
    refused(MarathonHttpError, lambda: client.create_event_subscription('http://127.0.0.1:1/'))


@step
def create():
    """create an app, and not a second time"""
    check = MarathonHealthCheck(protocol='COMMAND', command='true', grace_period_seconds=5, interval_seconds=5,
                                timeout_seconds=5, max_consecutive_failures=3)
    app = client.create_app('/shop/web', definition(labels={'team': 'a'}, health_checks=[check],
                                                    constraints=[MarathonConstraint('hostname', 'UNLIKE', 'nowhere')]))
    assert app.id == '/shop/web' and app.tasks_running == 0 and len(app.deployments) == 1, app
    refused(ConflictError, lambda: client.create_app('/shop/web', definition()))
    refusal = refused(MarathonHttpError, lambda: client.create_app('/bad', definition(instances=-1)))
    assert refusal.status_code == 422, refusal
    client.delete_app('/shop/web', force=True)
    settled()
    client.create_app('/shop/web', definition(labels={'team': 'a'}))
    settled()


@step
def read():
    """list with filters and embeds, get, tasks, versions"""
    client.create_app('/shop/on-switch', definition(
        cmd=None, args=['sleep', '100000'], networks=[{'mode': 'container'}],
        container=MarathonContainer(docker=MarathonDockerContainer(image='busybox'),
                                    port_mappings=[MarathonContainerPortMapping(container_port=80, name='http')])))
    settled()
    everything = {'embed_tasks': True, 'embed_counts': True, 'embed_deployments': True, 'embed_readiness': True,
                  'embed_last_task_failure': True, 'embed_failures': True, 'embed_task_stats': True}
    assert {app.id for app in client.list_apps()} == {'/shop/web', '/shop/on-switch'}
    assert [app.id for app in client.list_apps(label='team==a')] == ['/shop/web']
    assert [app.id for app in client.list_apps(cmd='SLEEP')] == ['/shop/web']
    assert [app.id for app in client.list_apps(app_id='switch')] == ['/shop/on-switch']
    assert all(len(app.tasks) == 2 and app.task_stats for app in client.list_apps(**everything))
    app = client.get_app('/shop/web', **everything)
    assert app.tasks_running == 2 and len(app.tasks) == 2 and app.labels == {'team': 'a'}, app
    assert {task.app_id for task in client.list_tasks()} == {'/shop/web', '/shop/on-switch'}
    tasks = client.list_tasks('/shop/on-switch')
    assert len({task.ip_addresses[0].ip_address for task in tasks}) == 2, tasks
    assert len(client.list_endpoints()) == 2, client.list_endpoints()
    versions = client.list_versions('/shop/web')
    assert client.get_version('/shop/web', versions[0]).instances == 2
    refused(NotFoundError, lambda: client.get_app('/none'))


@step
def change():
    """scale, update, update several, roll back, restart"""
    client.scale_app('/shop/web', instances=3)
    settled()
    client.scale_app('/shop/web', delta=-1)
    settled()
    assert client.get_app('/shop/web').tasks_running == 2
    before = client.list_versions('/shop/web')[0]
    client.update_app('/shop/web', MarathonApp(env={'COLOUR': 'blue'}))
    settled()
    assert client.get_app('/shop/web').env == {'COLOUR': 'blue'}
    client.rollback_app('/shop/web', before)
    settled()
    assert client.get_app('/shop/web').env == {}
    tasks = {task.id for task in client.list_tasks('/shop/web')}
    assert client.restart_app('/shop/web')['deploymentId']
    settled()
    assert tasks.isdisjoint(task.id for task in client.list_tasks('/shop/web'))
    read_back = client.get_app('/shop/web')
    client.update_apps([read_back, definition(id='/shop/more', instances=1)])
    settled()
    assert client.get_app('/shop/more').tasks_running == 1
    client.delete_app('/shop/more')
    settled()


@step
def kill():
    """kill a task, tasks of a host, tasks with scale"""
    task = client.list_tasks('/shop/web')[0]
    assert client.kill_task('/shop/web', task.id).id == task.id
    until('the task is replaced', lambda: task.id not in {each.id for each in client.list_tasks('/shop/web')}
          and client.get_app('/shop/web').tasks_running == 2)
    host = client.list_tasks('/shop/web')[0].host
    killed = client.kill_tasks('/shop/web', host=host)
    assert {each.host for each in killed} == {host}
    gone = {each.id for each in killed}
    until('they are replaced', lambda: gone.isdisjoint(each.id for each in client.list_tasks('/shop/web'))
          and client.get_app('/shop/web').tasks_running == 2)
    task = client.list_tasks('/shop/web')[0]
    assert client.kill_given_tasks([task.id], scale=True)
    settled()
    app = client.get_app('/shop/web')
    assert app.instances == 1 and task.id not in {each.id for each in app.tasks}, app
    assert 'deploymentId' in client.kill_task('/shop/web', app.tasks[0].id, scale=True)
    settled()
    assert client.get_app('/shop/web').instances == 0


@step
def wait():
    """the queue and its reasons, a locked app, a deployment that is undone and one that is dropped"""
    client.create_app('/greedy', definition(cpus=100000, instances=1))
    item = until('it is in the queue', lambda: client.list_queue(embed_last_unused_offers=True))[0]
    assert item.app.id == '/greedy' and item.count == 1, item
    client.reset_delay('/greedy')
    refused(NotFoundError, lambda: client.reset_delay('/none'))
    deployment = client.list_deployments()[0]
    assert deployment.affected_apps == ['/greedy'], deployment
    locked = refused(ConflictError, lambda: client.scale_app('/greedy', instances=2))
    assert deployment.id in str(locked.__dict__), locked.__dict__
    assert client.delete_deployment(deployment.id)['deploymentId'] != deployment.id
    settled()
    refused(NotFoundError, lambda: client.get_app('/greedy'))
    client.create_app('/greedy', definition(cpus=100000, instances=1))
    client.delete_deployment(client.list_deployments()[0].id, force=True)
    settled()
    client.delete_app('/greedy', force=True)
    settled()


@step
def groups():
    """groups: create, list, get, scale, update, roll back, remove"""
    client.create_group(MarathonGroup(id='/team', apps=[definition(id='/team/a', instances=1)],
                                      groups=[MarathonGroup(id='/team/sub', apps=[definition(id='/team/sub/b')])]))
    settled()
    assert {'/team', '/shop'} <= {group.id for group in client.list_groups()}
    group = client.get_group('/team')
    assert [app.id for app in group.apps] == ['/team/a'] and group.groups[0].id == '/team/sub', group
    version = group.version
    client.scale_group('/team', 2)
    settled()
    assert client.get_app('/team/a').instances == 2
    client.rollback_group('/team', version)
    settled()
    assert client.get_app('/team/a').instances == 1
    client.update_group('/team', MarathonGroup(apps=[definition(id='/team/c', instances=1)]))
    settled()
    assert [app.id for app in client.get_group('/team').apps] == ['/team/c']
    client.delete_group('/team')
    settled()
    refused(NotFoundError, lambda: client.get_group('/team'))


@step
def told():
    """what the event stream has told"""
    for kind in ('api_post_event', 'status_update_event', 'instance_changed_event', 'deployment_info',
                 'deployment_step_success', 'deployment_success', 'deployment_failed', 'app_terminated_event',
                 'group_change_success'):
        assert events.of(kind), f'no {kind} among {sorted({event.event_type for event in events.seen})}'
    posted = events.of('api_post_event')[0]
    assert posted.app_definition['id'] == '/shop/web' and posted.client_ip == '127.0.0.1', posted
    assert any(update.task_status == 'TASK_RUNNING' for update in events.of('status_update_event'))


print('done')
