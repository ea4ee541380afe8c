// Generated from mesos.proto, mesos-scheduler.proto, mesos-executor.proto by generate.mjs. Do not edit.
import type { INamespace } from 'protobufjs/light.js';

export type FrameworkInfoCapabilityType =
  | 'UNKNOWN'
  | 'REVOCABLE_RESOURCES'
  | 'TASK_KILLING_STATE'
  | 'GPU_RESOURCES'
  | 'SHARED_RESOURCES'
  | 'PARTITION_AWARE'
  | 'MULTI_ROLE'
  | 'RESERVATION_REFINEMENT'
  | 'REGION_AWARE';

export type MasterInfoCapabilityType =
  | 'UNKNOWN'
  | 'AGENT_UPDATE'
  | 'AGENT_DRAINING'
  | 'QUOTA_V2';

/** 0 has a meaning here and in other enums: test for presence, never for truth. */
export type ValueType =
  | 'SCALAR'
  | 'RANGES'
  | 'SET'
  | 'TEXT';

export type ResourceReservationInfoType =
  | 'UNKNOWN'
  | 'STATIC'
  | 'DYNAMIC';

export type ResourceDiskInfoSourceType =
  | 'UNKNOWN'
  | 'PATH'
  | 'MOUNT'
  | 'BLOCK'
  | 'RAW';

export type OfferOperationType =
  | 'UNKNOWN'
  | 'LAUNCH'
  | 'RESERVE'
  | 'UNRESERVE'
  | 'CREATE'
  | 'DESTROY'
  | 'LAUNCH_GROUP'
  | 'GROW_VOLUME'
  | 'SHRINK_VOLUME'
  | 'CREATE_DISK'
  | 'DESTROY_DISK';

export type ExecutorInfoType =
  | 'UNKNOWN'
  | 'DEFAULT'
  | 'CUSTOM';

export type EnvironmentVariableType =
  | 'UNKNOWN'
  | 'VALUE'
  | 'SECRET';

export type ContainerInfoType =
  | 'DOCKER'
  | 'MESOS';

export type ContainerInfoDockerInfoNetwork =
  | 'HOST'
  | 'BRIDGE'
  | 'NONE'
  | 'USER';

export type VolumeMode =
  | 'RW'
  | 'RO';

export type NetworkInfoProtocol =
  | 'IPv4'
  | 'IPv6';

export type DiscoveryInfoVisibility =
  | 'FRAMEWORK'
  | 'CLUSTER'
  | 'EXTERNAL';

export type TaskState =
  | 'TASK_STARTING'
  | 'TASK_RUNNING'
  | 'TASK_FINISHED'
  | 'TASK_FAILED'
  | 'TASK_KILLED'
  | 'TASK_LOST'
  | 'TASK_STAGING'
  | 'TASK_ERROR'
  | 'TASK_KILLING'
  | 'TASK_DROPPED'
  | 'TASK_UNREACHABLE'
  | 'TASK_GONE'
  | 'TASK_GONE_BY_OPERATOR'
  | 'TASK_UNKNOWN';

export type TaskStatusSource =
  | 'SOURCE_MASTER'
  | 'SOURCE_AGENT'
  | 'SOURCE_EXECUTOR';

export type TaskStatusReason =
  | 'REASON_COMMAND_EXECUTOR_FAILED'
  | 'REASON_EXECUTOR_TERMINATED'
  | 'REASON_EXECUTOR_UNREGISTERED'
  | 'REASON_FRAMEWORK_REMOVED'
  | 'REASON_GC_ERROR'
  | 'REASON_INVALID_FRAMEWORKID'
  | 'REASON_INVALID_OFFERS'
  | 'REASON_MASTER_DISCONNECTED'
  | 'REASON_CONTAINER_LIMITATION_MEMORY'
  | 'REASON_RECONCILIATION'
  | 'REASON_AGENT_DISCONNECTED'
  | 'REASON_AGENT_REMOVED'
  | 'REASON_AGENT_RESTARTED'
  | 'REASON_AGENT_UNKNOWN'
  | 'REASON_TASK_INVALID'
  | 'REASON_TASK_UNAUTHORIZED'
  | 'REASON_TASK_UNKNOWN'
  | 'REASON_CONTAINER_PREEMPTED'
  | 'REASON_RESOURCES_UNKNOWN'
  | 'REASON_CONTAINER_LIMITATION'
  | 'REASON_CONTAINER_LIMITATION_DISK'
  | 'REASON_CONTAINER_LAUNCH_FAILED'
  | 'REASON_CONTAINER_UPDATE_FAILED'
  | 'REASON_EXECUTOR_REGISTRATION_TIMEOUT'
  | 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT'
  | 'REASON_TASK_GROUP_INVALID'
  | 'REASON_TASK_GROUP_UNAUTHORIZED'
  | 'REASON_IO_SWITCHBOARD_EXITED'
  | 'REASON_TASK_CHECK_STATUS_UPDATED'
  | 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED'
  | 'REASON_TASK_KILLED_DURING_LAUNCH'
  | 'REASON_AGENT_REMOVED_BY_OPERATOR'
  | 'REASON_AGENT_REREGISTERED'
  | 'REASON_MAX_COMPLETION_TIME_REACHED'
  | 'REASON_AGENT_DRAINING';

export type SchedulerEventType =
  | 'UNKNOWN'
  | 'SUBSCRIBED'
  | 'OFFERS'
  | 'RESCIND'
  | 'UPDATE'
  | 'MESSAGE'
  | 'FAILURE'
  | 'ERROR'
  | 'HEARTBEAT'
  | 'INVERSE_OFFERS'
  | 'RESCIND_INVERSE_OFFER'
  | 'UPDATE_OPERATION_STATUS';

export type SchedulerCallType =
  | 'UNKNOWN'
  | 'SUBSCRIBE'
  | 'TEARDOWN'
  | 'ACCEPT'
  | 'DECLINE'
  | 'REVIVE'
  | 'KILL'
  | 'SHUTDOWN'
  | 'ACKNOWLEDGE'
  | 'RECONCILE'
  | 'MESSAGE'
  | 'REQUEST'
  | 'SUPPRESS'
  | 'ACCEPT_INVERSE_OFFERS'
  | 'DECLINE_INVERSE_OFFERS'
  | 'ACKNOWLEDGE_OPERATION_STATUS'
  | 'RECONCILE_OPERATIONS'
  | 'UPDATE_FRAMEWORK';

export type ExecutorEventType =
  | 'UNKNOWN'
  | 'SUBSCRIBED'
  | 'LAUNCH'
  | 'KILL'
  | 'ACKNOWLEDGED'
  | 'MESSAGE'
  | 'ERROR'
  | 'SHUTDOWN'
  | 'LAUNCH_GROUP'
  | 'HEARTBEAT';

export type ExecutorCallType =
  | 'UNKNOWN'
  | 'SUBSCRIBE'
  | 'UPDATE'
  | 'MESSAGE'
  | 'HEARTBEAT';

export interface FrameworkID {
  readonly value: string;
}

export interface OfferID {
  readonly value: string;
}

export interface AgentID {
  readonly value: string;
}

export interface TaskID {
  readonly value: string;
}

export interface ExecutorID {
  readonly value: string;
}

export interface ResourceProviderID {
  readonly value: string;
}

/** `parent` is set for containers that run inside another one. */
export interface ContainerID {
  readonly value: string;
  readonly parent?: ContainerID | undefined;
}

/** A moment, nanoseconds since 1970. */
export interface TimeInfo {
  readonly nanoseconds: number;
}

export interface DurationInfo {
  readonly nanoseconds: number;
}

/** Keys may repeat; the order is kept. */
export interface Labels {
  readonly labels?: readonly Label[] | undefined;
}

export interface Label {
  readonly key: string;
  readonly value?: string | undefined;
}

export interface Parameter {
  readonly key: string;
  readonly value: string;
}

export interface Address {
  readonly hostname?: string | undefined;
  readonly ip?: string | undefined;
  readonly port: number;
}

export interface URL {
  readonly scheme: string;
  readonly address: Address;
  readonly path?: string | undefined;
  readonly query?: readonly Parameter[] | undefined;
  readonly fragment?: string | undefined;
}

/** Region and zone of a machine. */
export interface DomainInfo {
  readonly fault_domain?: DomainInfoFaultDomain | undefined;
}

export interface DomainInfoFaultDomain {
  readonly region: DomainInfoFaultDomainRegionInfo;
  readonly zone: DomainInfoFaultDomainZoneInfo;
}

export interface DomainInfoFaultDomainRegionInfo {
  readonly name: string;
}

export interface DomainInfoFaultDomainZoneInfo {
  readonly name: string;
}

/** What a framework says of itself when it subscribes. `user`, `checkpoint` and `principal` cannot change later. */
export interface FrameworkInfo {
  readonly user: string;
  readonly name: string;
  readonly id?: FrameworkID | undefined;
  /** Seconds that the tasks outlive a disconnected scheduler. */
  readonly failover_timeout?: number | undefined;
  readonly checkpoint?: boolean | undefined;
  readonly role?: string | undefined;
  readonly hostname?: string | undefined;
  readonly principal?: string | undefined;
  readonly webui_url?: string | undefined;
  readonly capabilities?: readonly FrameworkInfoCapability[] | undefined;
  readonly labels?: Labels | undefined;
  readonly roles?: readonly string[] | undefined;
}

export interface FrameworkInfoCapability {
  readonly type?: FrameworkInfoCapabilityType | undefined;
}

export interface MasterInfo {
  readonly id: string;
  /** The IPv4 address as four bytes in network order, read as a little-endian number. */
  readonly ip: number;
  readonly port: number;
  readonly pid?: string | undefined;
  readonly hostname?: string | undefined;
  readonly version?: string | undefined;
  readonly address?: Address | undefined;
  readonly domain?: DomainInfo | undefined;
  readonly capabilities?: readonly MasterInfoCapability[] | undefined;
}

export interface MasterInfoCapability {
  readonly type?: MasterInfoCapabilityType | undefined;
}

export interface AgentInfo {
  readonly hostname: string;
  readonly resources?: readonly Resource[] | undefined;
  readonly attributes?: readonly Attribute[] | undefined;
  readonly id?: AgentID | undefined;
  readonly port?: number | undefined;
  readonly domain?: DomainInfo | undefined;
}

export type Value = Readonly<Record<string, never>>;

/** Three decimals count. */
export interface ValueScalar {
  readonly value: number;
}

/** Both ends belong to it. */
export interface ValueRange {
  readonly begin: number;
  readonly end: number;
}

export interface ValueRanges {
  readonly range?: readonly ValueRange[] | undefined;
}

export interface ValueSet {
  readonly item?: readonly string[] | undefined;
}

export interface ValueText {
  readonly value: string;
}

export interface Attribute {
  readonly name: string;
  readonly type: ValueType;
  readonly scalar?: ValueScalar | undefined;
  readonly ranges?: ValueRanges | undefined;
  readonly text?: ValueText | undefined;
  readonly set?: ValueSet | undefined;
}

/** An amount of one resource. Everything but the amount is its identity, which a task copies from the offer. */
export interface Resource {
  readonly name: string;
  readonly type: ValueType;
  readonly scalar?: ValueScalar | undefined;
  readonly ranges?: ValueRanges | undefined;
  readonly set?: ValueSet | undefined;
  /** Before reservation refinement; the stack in `reservations` replaced it. */
  readonly role?: string | undefined;
  readonly disk?: ResourceDiskInfo | undefined;
  readonly reservation?: ResourceReservationInfo | undefined;
  readonly revocable?: ResourceRevocableInfo | undefined;
  readonly shared?: ResourceSharedInfo | undefined;
  readonly allocation_info?: ResourceAllocationInfo | undefined;
  readonly provider_id?: ResourceProviderID | undefined;
  /** Outermost first; the last one is in force; none: unreserved. */
  readonly reservations?: readonly ResourceReservationInfo[] | undefined;
}

export interface ResourceAllocationInfo {
  readonly role?: string | undefined;
}

export interface ResourceReservationInfo {
  readonly principal?: string | undefined;
  readonly labels?: Labels | undefined;
  readonly role?: string | undefined;
  readonly type?: ResourceReservationInfoType | undefined;
}

export interface ResourceDiskInfo {
  readonly persistence?: ResourceDiskInfoPersistence | undefined;
  readonly volume?: Volume | undefined;
  readonly source?: ResourceDiskInfoSource | undefined;
}

export interface ResourceDiskInfoPersistence {
  readonly id: string;
  readonly principal?: string | undefined;
}

export interface ResourceDiskInfoSource {
  readonly type: ResourceDiskInfoSourceType;
  readonly path?: ResourceDiskInfoSourcePath | undefined;
  readonly mount?: ResourceDiskInfoSourceMount | undefined;
  readonly id?: string | undefined;
  readonly metadata?: Labels | undefined;
  readonly profile?: string | undefined;
  readonly vendor?: string | undefined;
}

export interface ResourceDiskInfoSourcePath {
  readonly root?: string | undefined;
}

export interface ResourceDiskInfoSourceMount {
  readonly root?: string | undefined;
}

export type ResourceRevocableInfo = Readonly<Record<string, never>>;

export type ResourceSharedInfo = Readonly<Record<string, never>>;

export interface Unavailability {
  readonly start: TimeInfo;
  readonly duration?: DurationInfo | undefined;
}

export interface Filters {
  /** How long resources that were not used are not offered again. */
  readonly refuse_seconds?: number | undefined;
}

export interface Offer {
  readonly id: OfferID;
  readonly framework_id: FrameworkID;
  readonly agent_id: AgentID;
  readonly hostname: string;
  readonly resources?: readonly Resource[] | undefined;
  /** Executors of this framework that run on the agent. */
  readonly executor_ids?: readonly ExecutorID[] | undefined;
  readonly attributes?: readonly Attribute[] | undefined;
  readonly url?: URL | undefined;
  readonly unavailability?: Unavailability | undefined;
  readonly allocation_info?: ResourceAllocationInfo | undefined;
  readonly domain?: DomainInfo | undefined;
}

export interface OfferOperation {
  readonly type?: OfferOperationType | undefined;
  readonly launch?: OfferOperationLaunch | undefined;
}

export interface OfferOperationLaunch {
  readonly task_infos?: readonly TaskInfo[] | undefined;
}

/** A request to free a machine for maintenance. */
export interface InverseOffer {
  readonly id: OfferID;
  readonly url?: URL | undefined;
  readonly framework_id: FrameworkID;
  readonly agent_id?: AgentID | undefined;
  readonly unavailability: Unavailability;
  readonly resources?: readonly Resource[] | undefined;
}

export interface TaskInfo {
  readonly name: string;
  readonly task_id: TaskID;
  readonly agent_id: AgentID;
  readonly resources?: readonly Resource[] | undefined;
  readonly executor?: ExecutorInfo | undefined;
  readonly data?: Uint8Array | undefined;
  readonly command?: CommandInfo | undefined;
  readonly container?: ContainerInfo | undefined;
  readonly labels?: Labels | undefined;
  readonly discovery?: DiscoveryInfo | undefined;
  readonly kill_policy?: KillPolicy | undefined;
}

export interface TaskGroupInfo {
  readonly tasks?: readonly TaskInfo[] | undefined;
}

/** Mesos compares nearly all of it: every task of an executor must carry the same. */
export interface ExecutorInfo {
  readonly executor_id: ExecutorID;
  readonly data?: Uint8Array | undefined;
  readonly resources?: readonly Resource[] | undefined;
  readonly command?: CommandInfo | undefined;
  readonly framework_id?: FrameworkID | undefined;
  readonly name?: string | undefined;
  readonly source?: string | undefined;
  readonly container?: ContainerInfo | undefined;
  readonly discovery?: DiscoveryInfo | undefined;
  readonly shutdown_grace_period?: DurationInfo | undefined;
  readonly labels?: Labels | undefined;
  readonly type?: ExecutorInfoType | undefined;
}

export interface CommandInfo {
  readonly uris?: readonly CommandInfoURI[] | undefined;
  readonly environment?: Environment | undefined;
  readonly value?: string | undefined;
  readonly user?: string | undefined;
  /** True: value is a line for /bin/sh; false: value is the program and arguments its whole argv. */
  readonly shell?: boolean | undefined;
  readonly arguments?: readonly string[] | undefined;
}

/** A file that the agent fetches into the sandbox before the command starts. */
export interface CommandInfoURI {
  readonly value: string;
  readonly executable?: boolean | undefined;
  readonly extract?: boolean | undefined;
  readonly cache?: boolean | undefined;
  readonly output_file?: string | undefined;
}

export interface Environment {
  readonly variables?: readonly EnvironmentVariable[] | undefined;
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string | undefined;
  readonly type?: EnvironmentVariableType | undefined;
}

export interface ContainerInfo {
  readonly type: ContainerInfoType;
  readonly volumes?: readonly Volume[] | undefined;
  readonly docker?: ContainerInfoDockerInfo | undefined;
  readonly hostname?: string | undefined;
  readonly network_infos?: readonly NetworkInfo[] | undefined;
}

export interface ContainerInfoDockerInfo {
  readonly image: string;
  readonly network?: ContainerInfoDockerInfoNetwork | undefined;
  readonly port_mappings?: readonly ContainerInfoDockerInfoPortMapping[] | undefined;
  readonly privileged?: boolean | undefined;
  readonly parameters?: readonly Parameter[] | undefined;
  readonly force_pull_image?: boolean | undefined;
}

export interface ContainerInfoDockerInfoPortMapping {
  readonly host_port: number;
  readonly container_port: number;
  readonly protocol?: string | undefined;
}

export interface Volume {
  readonly container_path: string;
  readonly host_path?: string | undefined;
  readonly mode: VolumeMode;
}

/** Where a container can be reached. */
export interface NetworkInfo {
  readonly groups?: readonly string[] | undefined;
  readonly labels?: Labels | undefined;
  readonly ip_addresses?: readonly NetworkInfoIPAddress[] | undefined;
  readonly name?: string | undefined;
  readonly port_mappings?: readonly NetworkInfoPortMapping[] | undefined;
}

export interface NetworkInfoIPAddress {
  readonly protocol?: NetworkInfoProtocol | undefined;
  readonly ip_address?: string | undefined;
}

export interface NetworkInfoPortMapping {
  readonly host_port: number;
  readonly container_port: number;
  readonly protocol?: string | undefined;
}

export interface KillPolicy {
  readonly grace_period?: DurationInfo | undefined;
}

/** Metadata for service discovery by others (Mesos-DNS, dashboards). */
export interface DiscoveryInfo {
  readonly visibility: DiscoveryInfoVisibility;
  readonly name?: string | undefined;
  readonly environment?: string | undefined;
  readonly location?: string | undefined;
  readonly version?: string | undefined;
  readonly ports?: Ports | undefined;
  readonly labels?: Labels | undefined;
}

export interface Ports {
  readonly ports?: readonly Port[] | undefined;
}

export interface Port {
  readonly number: number;
  readonly name?: string | undefined;
  readonly protocol?: string | undefined;
  readonly visibility?: DiscoveryInfoVisibility | undefined;
  readonly labels?: Labels | undefined;
}

export interface TaskStatus {
  readonly task_id: TaskID;
  readonly state: TaskState;
  readonly data?: Uint8Array | undefined;
  readonly message?: string | undefined;
  readonly agent_id?: AgentID | undefined;
  /** Seconds since 1970 by the clock of whoever made the status. */
  readonly timestamp?: number | undefined;
  readonly executor_id?: ExecutorID | undefined;
  readonly healthy?: boolean | undefined;
  readonly source?: TaskStatusSource | undefined;
  readonly reason?: TaskStatusReason | undefined;
  /** The 16 bytes of an RFC 4122 UUID. Present: the status is sent again until it is acknowledged. */
  readonly uuid?: Uint8Array | undefined;
  readonly labels?: Labels | undefined;
  readonly container_status?: ContainerStatus | undefined;
  readonly unreachable_time?: TimeInfo | undefined;
  readonly limitation?: TaskResourceLimitation | undefined;
}

export interface ContainerStatus {
  readonly network_infos?: readonly NetworkInfo[] | undefined;
  readonly executor_pid?: number | undefined;
  readonly container_id?: ContainerID | undefined;
}

/** Which resources a task used more of than it had. */
export interface TaskResourceLimitation {
  readonly resources?: readonly Resource[] | undefined;
}

export interface SchedulerEvent {
  readonly type?: SchedulerEventType | undefined;
  readonly subscribed?: SchedulerEventSubscribed | undefined;
  readonly offers?: SchedulerEventOffers | undefined;
  readonly rescind?: SchedulerEventRescind | undefined;
  readonly update?: SchedulerEventUpdate | undefined;
  readonly message?: SchedulerEventMessage | undefined;
  readonly failure?: SchedulerEventFailure | undefined;
  readonly error?: SchedulerEventError | undefined;
  readonly inverse_offers?: SchedulerEventInverseOffers | undefined;
  readonly rescind_inverse_offer?: SchedulerEventRescindInverseOffer | undefined;
}

export interface SchedulerEventSubscribed {
  readonly framework_id: FrameworkID;
  readonly heartbeat_interval_seconds?: number | undefined;
  readonly master_info?: MasterInfo | undefined;
}

export interface SchedulerEventOffers {
  readonly offers?: readonly Offer[] | undefined;
}

export interface SchedulerEventInverseOffers {
  readonly inverse_offers?: readonly InverseOffer[] | undefined;
}

export interface SchedulerEventRescind {
  readonly offer_id: OfferID;
}

export interface SchedulerEventRescindInverseOffer {
  readonly inverse_offer_id: OfferID;
}

export interface SchedulerEventUpdate {
  readonly status: TaskStatus;
}

export interface SchedulerEventMessage {
  readonly agent_id: AgentID;
  readonly executor_id: ExecutorID;
  readonly data: Uint8Array;
}

/** An agent is gone, or, with an executor id, that executor ended; status is as waitpid gives it. */
export interface SchedulerEventFailure {
  readonly agent_id?: AgentID | undefined;
  readonly executor_id?: ExecutorID | undefined;
  readonly status?: number | undefined;
}

export interface SchedulerEventError {
  readonly message: string;
}

export interface SchedulerCall {
  readonly framework_id?: FrameworkID | undefined;
  readonly type?: SchedulerCallType | undefined;
  readonly subscribe?: SchedulerCallSubscribe | undefined;
  readonly accept?: SchedulerCallAccept | undefined;
  readonly decline?: SchedulerCallDecline | undefined;
  readonly kill?: SchedulerCallKill | undefined;
  readonly shutdown?: SchedulerCallShutdown | undefined;
  readonly acknowledge?: SchedulerCallAcknowledge | undefined;
  readonly reconcile?: SchedulerCallReconcile | undefined;
  readonly message?: SchedulerCallMessage | undefined;
  readonly accept_inverse_offers?: SchedulerCallAcceptInverseOffers | undefined;
  readonly decline_inverse_offers?: SchedulerCallDeclineInverseOffers | undefined;
  readonly revive?: SchedulerCallRevive | undefined;
  readonly suppress?: SchedulerCallSuppress | undefined;
}

/** Replaces the roles that were suppressed before. */
export interface SchedulerCallSubscribe {
  readonly framework_info: FrameworkInfo;
  readonly suppressed_roles?: readonly string[] | undefined;
}

export interface SchedulerCallAccept {
  readonly offer_ids?: readonly OfferID[] | undefined;
  readonly operations?: readonly OfferOperation[] | undefined;
  readonly filters?: Filters | undefined;
}

export interface SchedulerCallDecline {
  readonly offer_ids?: readonly OfferID[] | undefined;
  readonly filters?: Filters | undefined;
}

export interface SchedulerCallAcceptInverseOffers {
  readonly inverse_offer_ids?: readonly OfferID[] | undefined;
  readonly filters?: Filters | undefined;
}

export interface SchedulerCallDeclineInverseOffers {
  readonly inverse_offer_ids?: readonly OfferID[] | undefined;
  readonly filters?: Filters | undefined;
}

/** No roles: all of the framework's. */
export interface SchedulerCallRevive {
  readonly roles?: readonly string[] | undefined;
}

export interface SchedulerCallSuppress {
  readonly roles?: readonly string[] | undefined;
}

export interface SchedulerCallKill {
  readonly task_id: TaskID;
  readonly agent_id?: AgentID | undefined;
  readonly kill_policy?: KillPolicy | undefined;
}

/** Ends one executor with all of its tasks. */
export interface SchedulerCallShutdown {
  readonly executor_id: ExecutorID;
  readonly agent_id: AgentID;
}

export interface SchedulerCallAcknowledge {
  readonly agent_id: AgentID;
  readonly task_id: TaskID;
  readonly uuid: Uint8Array;
}

/** No tasks: every task that the master knows of. */
export interface SchedulerCallReconcile {
  readonly tasks?: readonly SchedulerCallReconcileTask[] | undefined;
}

export interface SchedulerCallReconcileTask {
  readonly task_id: TaskID;
  readonly agent_id?: AgentID | undefined;
}

export interface SchedulerCallMessage {
  readonly agent_id: AgentID;
  readonly executor_id: ExecutorID;
  readonly data: Uint8Array;
}

export interface ExecutorEvent {
  readonly type?: ExecutorEventType | undefined;
  readonly subscribed?: ExecutorEventSubscribed | undefined;
  readonly acknowledged?: ExecutorEventAcknowledged | undefined;
  readonly launch?: ExecutorEventLaunch | undefined;
  readonly kill?: ExecutorEventKill | undefined;
  readonly message?: ExecutorEventMessage | undefined;
  readonly error?: ExecutorEventError | undefined;
  readonly launch_group?: ExecutorEventLaunchGroup | undefined;
}

export interface ExecutorEventSubscribed {
  readonly executor_info: ExecutorInfo;
  readonly framework_info: FrameworkInfo;
  readonly agent_info: AgentInfo;
  readonly container_id?: ContainerID | undefined;
}

export interface ExecutorEventLaunch {
  readonly task: TaskInfo;
}

export interface ExecutorEventLaunchGroup {
  readonly task_group: TaskGroupInfo;
}

export interface ExecutorEventKill {
  readonly task_id: TaskID;
  readonly kill_policy?: KillPolicy | undefined;
}

/** The agent has stored the update; it need not be sent again. */
export interface ExecutorEventAcknowledged {
  readonly task_id: TaskID;
  readonly uuid: Uint8Array;
}

export interface ExecutorEventMessage {
  readonly data: Uint8Array;
}

export interface ExecutorEventError {
  readonly message: string;
}

export interface ExecutorCall {
  readonly executor_id: ExecutorID;
  readonly framework_id: FrameworkID;
  readonly type?: ExecutorCallType | undefined;
  readonly subscribe?: ExecutorCallSubscribe | undefined;
  readonly update?: ExecutorCallUpdate | undefined;
  readonly message?: ExecutorCallMessage | undefined;
}

/** What the agent may not have seen: tasks without an acknowledged update, and updates themselves. */
export interface ExecutorCallSubscribe {
  readonly unacknowledged_tasks?: readonly TaskInfo[] | undefined;
  readonly unacknowledged_updates?: readonly ExecutorCallUpdate[] | undefined;
}

export interface ExecutorCallUpdate {
  readonly status: TaskStatus;
}

export interface ExecutorCallMessage {
  readonly data: Uint8Array;
}

/** Every message by its name here. */
export interface MesosMessages {
  FrameworkID: FrameworkID;
  OfferID: OfferID;
  AgentID: AgentID;
  TaskID: TaskID;
  ExecutorID: ExecutorID;
  ResourceProviderID: ResourceProviderID;
  ContainerID: ContainerID;
  TimeInfo: TimeInfo;
  DurationInfo: DurationInfo;
  Labels: Labels;
  Label: Label;
  Parameter: Parameter;
  Address: Address;
  URL: URL;
  DomainInfo: DomainInfo;
  DomainInfoFaultDomain: DomainInfoFaultDomain;
  DomainInfoFaultDomainRegionInfo: DomainInfoFaultDomainRegionInfo;
  DomainInfoFaultDomainZoneInfo: DomainInfoFaultDomainZoneInfo;
  FrameworkInfo: FrameworkInfo;
  FrameworkInfoCapability: FrameworkInfoCapability;
  MasterInfo: MasterInfo;
  MasterInfoCapability: MasterInfoCapability;
  AgentInfo: AgentInfo;
  Value: Value;
  ValueScalar: ValueScalar;
  ValueRange: ValueRange;
  ValueRanges: ValueRanges;
  ValueSet: ValueSet;
  ValueText: ValueText;
  Attribute: Attribute;
  Resource: Resource;
  ResourceAllocationInfo: ResourceAllocationInfo;
  ResourceReservationInfo: ResourceReservationInfo;
  ResourceDiskInfo: ResourceDiskInfo;
  ResourceDiskInfoPersistence: ResourceDiskInfoPersistence;
  ResourceDiskInfoSource: ResourceDiskInfoSource;
  ResourceDiskInfoSourcePath: ResourceDiskInfoSourcePath;
  ResourceDiskInfoSourceMount: ResourceDiskInfoSourceMount;
  ResourceRevocableInfo: ResourceRevocableInfo;
  ResourceSharedInfo: ResourceSharedInfo;
  Unavailability: Unavailability;
  Filters: Filters;
  Offer: Offer;
  OfferOperation: OfferOperation;
  OfferOperationLaunch: OfferOperationLaunch;
  InverseOffer: InverseOffer;
  TaskInfo: TaskInfo;
  TaskGroupInfo: TaskGroupInfo;
  ExecutorInfo: ExecutorInfo;
  CommandInfo: CommandInfo;
  CommandInfoURI: CommandInfoURI;
  Environment: Environment;
  EnvironmentVariable: EnvironmentVariable;
  ContainerInfo: ContainerInfo;
  ContainerInfoDockerInfo: ContainerInfoDockerInfo;
  ContainerInfoDockerInfoPortMapping: ContainerInfoDockerInfoPortMapping;
  Volume: Volume;
  NetworkInfo: NetworkInfo;
  NetworkInfoIPAddress: NetworkInfoIPAddress;
  NetworkInfoPortMapping: NetworkInfoPortMapping;
  KillPolicy: KillPolicy;
  DiscoveryInfo: DiscoveryInfo;
  Ports: Ports;
  Port: Port;
  TaskStatus: TaskStatus;
  ContainerStatus: ContainerStatus;
  TaskResourceLimitation: TaskResourceLimitation;
  SchedulerEvent: SchedulerEvent;
  SchedulerEventSubscribed: SchedulerEventSubscribed;
  SchedulerEventOffers: SchedulerEventOffers;
  SchedulerEventInverseOffers: SchedulerEventInverseOffers;
  SchedulerEventRescind: SchedulerEventRescind;
  SchedulerEventRescindInverseOffer: SchedulerEventRescindInverseOffer;
  SchedulerEventUpdate: SchedulerEventUpdate;
  SchedulerEventMessage: SchedulerEventMessage;
  SchedulerEventFailure: SchedulerEventFailure;
  SchedulerEventError: SchedulerEventError;
  SchedulerCall: SchedulerCall;
  SchedulerCallSubscribe: SchedulerCallSubscribe;
  SchedulerCallAccept: SchedulerCallAccept;
  SchedulerCallDecline: SchedulerCallDecline;
  SchedulerCallAcceptInverseOffers: SchedulerCallAcceptInverseOffers;
  SchedulerCallDeclineInverseOffers: SchedulerCallDeclineInverseOffers;
  SchedulerCallRevive: SchedulerCallRevive;
  SchedulerCallSuppress: SchedulerCallSuppress;
  SchedulerCallKill: SchedulerCallKill;
  SchedulerCallShutdown: SchedulerCallShutdown;
  SchedulerCallAcknowledge: SchedulerCallAcknowledge;
  SchedulerCallReconcile: SchedulerCallReconcile;
  SchedulerCallReconcileTask: SchedulerCallReconcileTask;
  SchedulerCallMessage: SchedulerCallMessage;
  ExecutorEvent: ExecutorEvent;
  ExecutorEventSubscribed: ExecutorEventSubscribed;
  ExecutorEventLaunch: ExecutorEventLaunch;
  ExecutorEventLaunchGroup: ExecutorEventLaunchGroup;
  ExecutorEventKill: ExecutorEventKill;
  ExecutorEventAcknowledged: ExecutorEventAcknowledged;
  ExecutorEventMessage: ExecutorEventMessage;
  ExecutorEventError: ExecutorEventError;
  ExecutorCall: ExecutorCall;
  ExecutorCallSubscribe: ExecutorCallSubscribe;
  ExecutorCallUpdate: ExecutorCallUpdate;
  ExecutorCallMessage: ExecutorCallMessage;
}

/** The full protobuf name of each message. */
export const mesosTypeNames: Readonly<Record<keyof MesosMessages, string>> = {
  FrameworkID: 'mesos.v1.FrameworkID',
  OfferID: 'mesos.v1.OfferID',
  AgentID: 'mesos.v1.AgentID',
  TaskID: 'mesos.v1.TaskID',
  ExecutorID: 'mesos.v1.ExecutorID',
  ResourceProviderID: 'mesos.v1.ResourceProviderID',
  ContainerID: 'mesos.v1.ContainerID',
  TimeInfo: 'mesos.v1.TimeInfo',
  DurationInfo: 'mesos.v1.DurationInfo',
  Labels: 'mesos.v1.Labels',
  Label: 'mesos.v1.Label',
  Parameter: 'mesos.v1.Parameter',
  Address: 'mesos.v1.Address',
  URL: 'mesos.v1.URL',
  DomainInfo: 'mesos.v1.DomainInfo',
  DomainInfoFaultDomain: 'mesos.v1.DomainInfo.FaultDomain',
  DomainInfoFaultDomainRegionInfo: 'mesos.v1.DomainInfo.FaultDomain.RegionInfo',
  DomainInfoFaultDomainZoneInfo: 'mesos.v1.DomainInfo.FaultDomain.ZoneInfo',
  FrameworkInfo: 'mesos.v1.FrameworkInfo',
  FrameworkInfoCapability: 'mesos.v1.FrameworkInfo.Capability',
  MasterInfo: 'mesos.v1.MasterInfo',
  MasterInfoCapability: 'mesos.v1.MasterInfo.Capability',
  AgentInfo: 'mesos.v1.AgentInfo',
  Value: 'mesos.v1.Value',
  ValueScalar: 'mesos.v1.Value.Scalar',
  ValueRange: 'mesos.v1.Value.Range',
  ValueRanges: 'mesos.v1.Value.Ranges',
  ValueSet: 'mesos.v1.Value.Set',
  ValueText: 'mesos.v1.Value.Text',
  Attribute: 'mesos.v1.Attribute',
  Resource: 'mesos.v1.Resource',
  ResourceAllocationInfo: 'mesos.v1.Resource.AllocationInfo',
  ResourceReservationInfo: 'mesos.v1.Resource.ReservationInfo',
  ResourceDiskInfo: 'mesos.v1.Resource.DiskInfo',
  ResourceDiskInfoPersistence: 'mesos.v1.Resource.DiskInfo.Persistence',
  ResourceDiskInfoSource: 'mesos.v1.Resource.DiskInfo.Source',
  ResourceDiskInfoSourcePath: 'mesos.v1.Resource.DiskInfo.Source.Path',
  ResourceDiskInfoSourceMount: 'mesos.v1.Resource.DiskInfo.Source.Mount',
  ResourceRevocableInfo: 'mesos.v1.Resource.RevocableInfo',
  ResourceSharedInfo: 'mesos.v1.Resource.SharedInfo',
  Unavailability: 'mesos.v1.Unavailability',
  Filters: 'mesos.v1.Filters',
  Offer: 'mesos.v1.Offer',
  OfferOperation: 'mesos.v1.Offer.Operation',
  OfferOperationLaunch: 'mesos.v1.Offer.Operation.Launch',
  InverseOffer: 'mesos.v1.InverseOffer',
  TaskInfo: 'mesos.v1.TaskInfo',
  TaskGroupInfo: 'mesos.v1.TaskGroupInfo',
  ExecutorInfo: 'mesos.v1.ExecutorInfo',
  CommandInfo: 'mesos.v1.CommandInfo',
  CommandInfoURI: 'mesos.v1.CommandInfo.URI',
  Environment: 'mesos.v1.Environment',
  EnvironmentVariable: 'mesos.v1.Environment.Variable',
  ContainerInfo: 'mesos.v1.ContainerInfo',
  ContainerInfoDockerInfo: 'mesos.v1.ContainerInfo.DockerInfo',
  ContainerInfoDockerInfoPortMapping: 'mesos.v1.ContainerInfo.DockerInfo.PortMapping',
  Volume: 'mesos.v1.Volume',
  NetworkInfo: 'mesos.v1.NetworkInfo',
  NetworkInfoIPAddress: 'mesos.v1.NetworkInfo.IPAddress',
  NetworkInfoPortMapping: 'mesos.v1.NetworkInfo.PortMapping',
  KillPolicy: 'mesos.v1.KillPolicy',
  DiscoveryInfo: 'mesos.v1.DiscoveryInfo',
  Ports: 'mesos.v1.Ports',
  Port: 'mesos.v1.Port',
  TaskStatus: 'mesos.v1.TaskStatus',
  ContainerStatus: 'mesos.v1.ContainerStatus',
  TaskResourceLimitation: 'mesos.v1.TaskResourceLimitation',
  SchedulerEvent: 'mesos.v1.scheduler.Event',
  SchedulerEventSubscribed: 'mesos.v1.scheduler.Event.Subscribed',
  SchedulerEventOffers: 'mesos.v1.scheduler.Event.Offers',
  SchedulerEventInverseOffers: 'mesos.v1.scheduler.Event.InverseOffers',
  SchedulerEventRescind: 'mesos.v1.scheduler.Event.Rescind',
  SchedulerEventRescindInverseOffer: 'mesos.v1.scheduler.Event.RescindInverseOffer',
  SchedulerEventUpdate: 'mesos.v1.scheduler.Event.Update',
  SchedulerEventMessage: 'mesos.v1.scheduler.Event.Message',
  SchedulerEventFailure: 'mesos.v1.scheduler.Event.Failure',
  SchedulerEventError: 'mesos.v1.scheduler.Event.Error',
  SchedulerCall: 'mesos.v1.scheduler.Call',
  SchedulerCallSubscribe: 'mesos.v1.scheduler.Call.Subscribe',
  SchedulerCallAccept: 'mesos.v1.scheduler.Call.Accept',
  SchedulerCallDecline: 'mesos.v1.scheduler.Call.Decline',
  SchedulerCallAcceptInverseOffers: 'mesos.v1.scheduler.Call.AcceptInverseOffers',
  SchedulerCallDeclineInverseOffers: 'mesos.v1.scheduler.Call.DeclineInverseOffers',
  SchedulerCallRevive: 'mesos.v1.scheduler.Call.Revive',
  SchedulerCallSuppress: 'mesos.v1.scheduler.Call.Suppress',
  SchedulerCallKill: 'mesos.v1.scheduler.Call.Kill',
  SchedulerCallShutdown: 'mesos.v1.scheduler.Call.Shutdown',
  SchedulerCallAcknowledge: 'mesos.v1.scheduler.Call.Acknowledge',
  SchedulerCallReconcile: 'mesos.v1.scheduler.Call.Reconcile',
  SchedulerCallReconcileTask: 'mesos.v1.scheduler.Call.Reconcile.Task',
  SchedulerCallMessage: 'mesos.v1.scheduler.Call.Message',
  ExecutorEvent: 'mesos.v1.executor.Event',
  ExecutorEventSubscribed: 'mesos.v1.executor.Event.Subscribed',
  ExecutorEventLaunch: 'mesos.v1.executor.Event.Launch',
  ExecutorEventLaunchGroup: 'mesos.v1.executor.Event.LaunchGroup',
  ExecutorEventKill: 'mesos.v1.executor.Event.Kill',
  ExecutorEventAcknowledged: 'mesos.v1.executor.Event.Acknowledged',
  ExecutorEventMessage: 'mesos.v1.executor.Event.Message',
  ExecutorEventError: 'mesos.v1.executor.Event.Error',
  ExecutorCall: 'mesos.v1.executor.Call',
  ExecutorCallSubscribe: 'mesos.v1.executor.Call.Subscribe',
  ExecutorCallUpdate: 'mesos.v1.executor.Call.Update',
  ExecutorCallMessage: 'mesos.v1.executor.Call.Message',
};

/** The schema in the JSON form of protobufjs. */
export const mesosDescriptor: INamespace = {"nested":{"mesos":{"nested":{"v1":{"nested":{"FrameworkID":{"edition":"proto2","fields":{"value":{"rule":"required","type":"string","id":1}}},"OfferID":{"edition":"proto2","fields":{"value":{"rule":"required","type":"string","id":1}}},"AgentID":{"edition":"proto2","fields":{"value":{"rule":"required","type":"string","id":1}}},"TaskID":{"edition":"proto2","fields":{"value":{"rule":"required","type":"string","id":1}}},"ExecutorID":{"edition":"proto2","fields":{"value":{"rule":"required","type":"string","id":1}}},"ResourceProviderID":{"edition":"proto2","fields":{"value":{"rule":"required","type":"string","id":1}}},"ContainerID":{"edition":"proto2","fields":{"value":{"rule":"required","type":"string","id":1},"parent":{"type":"ContainerID","id":2}}},"TimeInfo":{"edition":"proto2","fields":{"nanoseconds":{"rule":"required","type":"int64","id":1}}},"DurationInfo":{"edition":"proto2","fields":{"nanoseconds":{"rule":"required","type":"int64","id":1}}},"Labels":{"edition":"proto2","fields":{"labels":{"rule":"repeated","type":"Label","id":1}}},"Label":{"edition":"proto2","fields":{"key":{"rule":"required","type":"string","id":1},"value":{"type":"string","id":2}}},"Parameter":{"edition":"proto2","fields":{"key":{"rule":"required","type":"string","id":1},"value":{"rule":"required","type":"string","id":2}}},"Address":{"edition":"proto2","fields":{"hostname":{"type":"string","id":1},"ip":{"type":"string","id":2},"port":{"rule":"required","type":"int32","id":3}}},"URL":{"edition":"proto2","fields":{"scheme":{"rule":"required","type":"string","id":1},"address":{"rule":"required","type":"Address","id":2},"path":{"type":"string","id":3},"query":{"rule":"repeated","type":"Parameter","id":4},"fragment":{"type":"string","id":5}}},"DomainInfo":{"edition":"proto2","fields":{"fault_domain":{"type":"FaultDomain","id":1}},"nested":{"FaultDomain":{"fields":{"region":{"rule":"required","type":"RegionInfo","id":1},"zone":{"rule":"required","type":"ZoneInfo","id":2}},"nested":{"RegionInfo":{"fields":{"name":{"rule":"required","type":"string","id":1}}},"ZoneInfo":{"fields":{"name":{"rule":"required","type":"string","id":1}}}}}}},"FrameworkInfo":{"edition":"proto2","fields":{"user":{"rule":"required","type":"string","id":1},"name":{"rule":"required","type":"string","id":2},"id":{"type":"FrameworkID","id":3},"failover_timeout":{"type":"double","id":4,"options":{"default":0}},"checkpoint":{"type":"bool","id":5,"options":{"default":false}},"role":{"type":"string","id":6,"options":{"default":"*"}},"hostname":{"type":"string","id":7},"principal":{"type":"string","id":8},"webui_url":{"type":"string","id":9},"capabilities":{"rule":"repeated","type":"Capability","id":10},"labels":{"type":"Labels","id":11},"roles":{"rule":"repeated","type":"string","id":12}},"nested":{"Capability":{"fields":{"type":{"type":"Type","id":1}},"nested":{"Type":{"values":{"UNKNOWN":0,"REVOCABLE_RESOURCES":1,"TASK_KILLING_STATE":2,"GPU_RESOURCES":3,"SHARED_RESOURCES":4,"PARTITION_AWARE":5,"MULTI_ROLE":6,"RESERVATION_REFINEMENT":7,"REGION_AWARE":8}}}}}},"MasterInfo":{"edition":"proto2","fields":{"id":{"rule":"required","type":"string","id":1},"ip":{"rule":"required","type":"uint32","id":2},"port":{"rule":"required","type":"uint32","id":3,"options":{"default":5050}},"pid":{"type":"string","id":4},"hostname":{"type":"string","id":5},"version":{"type":"string","id":6},"address":{"type":"Address","id":7},"domain":{"type":"DomainInfo","id":8},"capabilities":{"rule":"repeated","type":"Capability","id":9}},"nested":{"Capability":{"fields":{"type":{"type":"Type","id":1}},"nested":{"Type":{"values":{"UNKNOWN":0,"AGENT_UPDATE":1,"AGENT_DRAINING":2,"QUOTA_V2":3}}}}}},"AgentInfo":{"edition":"proto2","fields":{"hostname":{"rule":"required","type":"string","id":1},"resources":{"rule":"repeated","type":"Resource","id":3},"attributes":{"rule":"repeated","type":"Attribute","id":5},"id":{"type":"AgentID","id":6},"port":{"type":"int32","id":8,"options":{"default":5051}},"domain":{"type":"DomainInfo","id":10}}},"Value":{"edition":"proto2","fields":{},"nested":{"Type":{"values":{"SCALAR":0,"RANGES":1,"SET":2,"TEXT":3}},"Scalar":{"fields":{"value":{"rule":"required","type":"double","id":1}}},"Range":{"fields":{"begin":{"rule":"required","type":"uint64","id":1},"end":{"rule":"required","type":"uint64","id":2}}},"Ranges":{"fields":{"range":{"rule":"repeated","type":"Range","id":1}}},"Set":{"fields":{"item":{"rule":"repeated","type":"string","id":1}}},"Text":{"fields":{"value":{"rule":"required","type":"string","id":1}}}}},"Attribute":{"edition":"proto2","fields":{"name":{"rule":"required","type":"string","id":1},"type":{"rule":"required","type":"Value.Type","id":2},"scalar":{"type":"Value.Scalar","id":3},"ranges":{"type":"Value.Ranges","id":4},"text":{"type":"Value.Text","id":5},"set":{"type":"Value.Set","id":6}}},"Resource":{"edition":"proto2","fields":{"name":{"rule":"required","type":"string","id":1},"type":{"rule":"required","type":"Value.Type","id":2},"scalar":{"type":"Value.Scalar","id":3},"ranges":{"type":"Value.Ranges","id":4},"set":{"type":"Value.Set","id":5},"role":{"type":"string","id":6,"options":{"default":"*"}},"disk":{"type":"DiskInfo","id":7},"reservation":{"type":"ReservationInfo","id":8},"revocable":{"type":"RevocableInfo","id":9},"shared":{"type":"SharedInfo","id":10},"allocation_info":{"type":"AllocationInfo","id":11},"provider_id":{"type":"ResourceProviderID","id":12},"reservations":{"rule":"repeated","type":"ReservationInfo","id":13}},"nested":{"AllocationInfo":{"fields":{"role":{"type":"string","id":1}}},"ReservationInfo":{"fields":{"principal":{"type":"string","id":1},"labels":{"type":"Labels","id":2},"role":{"type":"string","id":3},"type":{"type":"Type","id":4}},"nested":{"Type":{"values":{"UNKNOWN":0,"STATIC":1,"DYNAMIC":2}}}},"DiskInfo":{"fields":{"persistence":{"type":"Persistence","id":1},"volume":{"type":"Volume","id":2},"source":{"type":"Source","id":3}},"nested":{"Persistence":{"fields":{"id":{"rule":"required","type":"string","id":1},"principal":{"type":"string","id":2}}},"Source":{"fields":{"type":{"rule":"required","type":"Type","id":1},"path":{"type":"Path","id":2},"mount":{"type":"Mount","id":3},"id":{"type":"string","id":4},"metadata":{"type":"Labels","id":5},"profile":{"type":"string","id":6},"vendor":{"type":"string","id":7}},"nested":{"Type":{"values":{"UNKNOWN":0,"PATH":1,"MOUNT":2,"BLOCK":3,"RAW":4}},"Path":{"fields":{"root":{"type":"string","id":1}}},"Mount":{"fields":{"root":{"type":"string","id":1}}}}}}},"RevocableInfo":{"fields":{}},"SharedInfo":{"fields":{}}}},"Unavailability":{"edition":"proto2","fields":{"start":{"rule":"required","type":"TimeInfo","id":1},"duration":{"type":"DurationInfo","id":2}}},"Filters":{"edition":"proto2","fields":{"refuse_seconds":{"type":"double","id":1,"options":{"default":5}}}},"Offer":{"edition":"proto2","fields":{"id":{"rule":"required","type":"OfferID","id":1},"framework_id":{"rule":"required","type":"FrameworkID","id":2},"agent_id":{"rule":"required","type":"AgentID","id":3},"hostname":{"rule":"required","type":"string","id":4},"resources":{"rule":"repeated","type":"Resource","id":5},"executor_ids":{"rule":"repeated","type":"ExecutorID","id":6},"attributes":{"rule":"repeated","type":"Attribute","id":7},"url":{"type":"URL","id":8},"unavailability":{"type":"Unavailability","id":9},"allocation_info":{"type":"Resource.AllocationInfo","id":10},"domain":{"type":"DomainInfo","id":11}},"nested":{"Operation":{"fields":{"type":{"type":"Type","id":1},"launch":{"type":"Launch","id":2}},"nested":{"Type":{"values":{"UNKNOWN":0,"LAUNCH":1,"RESERVE":2,"UNRESERVE":3,"CREATE":4,"DESTROY":5,"LAUNCH_GROUP":6,"GROW_VOLUME":11,"SHRINK_VOLUME":12,"CREATE_DISK":13,"DESTROY_DISK":14}},"Launch":{"fields":{"task_infos":{"rule":"repeated","type":"TaskInfo","id":1}}}}}}},"InverseOffer":{"edition":"proto2","fields":{"id":{"rule":"required","type":"OfferID","id":1},"url":{"type":"URL","id":2},"framework_id":{"rule":"required","type":"FrameworkID","id":3},"agent_id":{"type":"AgentID","id":4},"unavailability":{"rule":"required","type":"Unavailability","id":5},"resources":{"rule":"repeated","type":"Resource","id":6}}},"TaskInfo":{"edition":"proto2","fields":{"name":{"rule":"required","type":"string","id":1},"task_id":{"rule":"required","type":"TaskID","id":2},"agent_id":{"rule":"required","type":"AgentID","id":3},"resources":{"rule":"repeated","type":"Resource","id":4},"executor":{"type":"ExecutorInfo","id":5},"data":{"type":"bytes","id":6},"command":{"type":"CommandInfo","id":7},"container":{"type":"ContainerInfo","id":9},"labels":{"type":"Labels","id":10},"discovery":{"type":"DiscoveryInfo","id":11},"kill_policy":{"type":"KillPolicy","id":12}}},"TaskGroupInfo":{"edition":"proto2","fields":{"tasks":{"rule":"repeated","type":"TaskInfo","id":1}}},"ExecutorInfo":{"edition":"proto2","fields":{"executor_id":{"rule":"required","type":"ExecutorID","id":1},"data":{"type":"bytes","id":4},"resources":{"rule":"repeated","type":"Resource","id":5},"command":{"type":"CommandInfo","id":7},"framework_id":{"type":"FrameworkID","id":8},"name":{"type":"string","id":9},"source":{"type":"string","id":10},"container":{"type":"ContainerInfo","id":11},"discovery":{"type":"DiscoveryInfo","id":12},"shutdown_grace_period":{"type":"DurationInfo","id":13},"labels":{"type":"Labels","id":14},"type":{"type":"Type","id":15}},"nested":{"Type":{"values":{"UNKNOWN":0,"DEFAULT":1,"CUSTOM":2}}}},"CommandInfo":{"edition":"proto2","fields":{"uris":{"rule":"repeated","type":"URI","id":1},"environment":{"type":"Environment","id":2},"value":{"type":"string","id":3},"user":{"type":"string","id":5},"shell":{"type":"bool","id":6,"options":{"default":true}},"arguments":{"rule":"repeated","type":"string","id":7}},"nested":{"URI":{"fields":{"value":{"rule":"required","type":"string","id":1},"executable":{"type":"bool","id":2},"extract":{"type":"bool","id":3,"options":{"default":true}},"cache":{"type":"bool","id":4},"output_file":{"type":"string","id":5}}}}},"Environment":{"edition":"proto2","fields":{"variables":{"rule":"repeated","type":"Variable","id":1}},"nested":{"Variable":{"fields":{"name":{"rule":"required","type":"string","id":1},"value":{"type":"string","id":2},"type":{"type":"Type","id":3,"options":{"default":"VALUE"}}},"nested":{"Type":{"values":{"UNKNOWN":0,"VALUE":1,"SECRET":2}}}}}},"ContainerInfo":{"edition":"proto2","fields":{"type":{"rule":"required","type":"Type","id":1},"volumes":{"rule":"repeated","type":"Volume","id":2},"docker":{"type":"DockerInfo","id":3},"hostname":{"type":"string","id":4},"network_infos":{"rule":"repeated","type":"NetworkInfo","id":7}},"nested":{"Type":{"values":{"DOCKER":1,"MESOS":2}},"DockerInfo":{"fields":{"image":{"rule":"required","type":"string","id":1},"network":{"type":"Network","id":2,"options":{"default":"HOST"}},"port_mappings":{"rule":"repeated","type":"PortMapping","id":3},"privileged":{"type":"bool","id":4,"options":{"default":false}},"parameters":{"rule":"repeated","type":"Parameter","id":5},"force_pull_image":{"type":"bool","id":6}},"nested":{"Network":{"values":{"HOST":1,"BRIDGE":2,"NONE":3,"USER":4}},"PortMapping":{"fields":{"host_port":{"rule":"required","type":"uint32","id":1},"container_port":{"rule":"required","type":"uint32","id":2},"protocol":{"type":"string","id":3}}}}}}},"Volume":{"edition":"proto2","fields":{"container_path":{"rule":"required","type":"string","id":1},"host_path":{"type":"string","id":2},"mode":{"rule":"required","type":"Mode","id":3}},"nested":{"Mode":{"values":{"RW":1,"RO":2}}}},"NetworkInfo":{"edition":"proto2","fields":{"groups":{"rule":"repeated","type":"string","id":3},"labels":{"type":"Labels","id":4},"ip_addresses":{"rule":"repeated","type":"IPAddress","id":5},"name":{"type":"string","id":6},"port_mappings":{"rule":"repeated","type":"PortMapping","id":7}},"nested":{"Protocol":{"values":{"IPv4":1,"IPv6":2}},"IPAddress":{"fields":{"protocol":{"type":"Protocol","id":1,"options":{"default":"IPv4"}},"ip_address":{"type":"string","id":2}}},"PortMapping":{"fields":{"host_port":{"rule":"required","type":"uint32","id":1},"container_port":{"rule":"required","type":"uint32","id":2},"protocol":{"type":"string","id":3}}}}},"KillPolicy":{"edition":"proto2","fields":{"grace_period":{"type":"DurationInfo","id":1}}},"DiscoveryInfo":{"edition":"proto2","fields":{"visibility":{"rule":"required","type":"Visibility","id":1},"name":{"type":"string","id":2},"environment":{"type":"string","id":3},"location":{"type":"string","id":4},"version":{"type":"string","id":5},"ports":{"type":"Ports","id":6},"labels":{"type":"Labels","id":7}},"nested":{"Visibility":{"values":{"FRAMEWORK":0,"CLUSTER":1,"EXTERNAL":2}}}},"Ports":{"edition":"proto2","fields":{"ports":{"rule":"repeated","type":"Port","id":1}}},"Port":{"edition":"proto2","fields":{"number":{"rule":"required","type":"uint32","id":1},"name":{"type":"string","id":2},"protocol":{"type":"string","id":3},"visibility":{"type":"DiscoveryInfo.Visibility","id":4},"labels":{"type":"Labels","id":5}}},"TaskState":{"edition":"proto2","values":{"TASK_STARTING":0,"TASK_RUNNING":1,"TASK_FINISHED":2,"TASK_FAILED":3,"TASK_KILLED":4,"TASK_LOST":5,"TASK_STAGING":6,"TASK_ERROR":7,"TASK_KILLING":8,"TASK_DROPPED":9,"TASK_UNREACHABLE":10,"TASK_GONE":11,"TASK_GONE_BY_OPERATOR":12,"TASK_UNKNOWN":13}},"TaskStatus":{"edition":"proto2","fields":{"task_id":{"rule":"required","type":"TaskID","id":1},"state":{"rule":"required","type":"TaskState","id":2},"data":{"type":"bytes","id":3},"message":{"type":"string","id":4},"agent_id":{"type":"AgentID","id":5},"timestamp":{"type":"double","id":6},"executor_id":{"type":"ExecutorID","id":7},"healthy":{"type":"bool","id":8},"source":{"type":"Source","id":9},"reason":{"type":"Reason","id":10},"uuid":{"type":"bytes","id":11},"labels":{"type":"Labels","id":12},"container_status":{"type":"ContainerStatus","id":13},"unreachable_time":{"type":"TimeInfo","id":14},"limitation":{"type":"TaskResourceLimitation","id":16}},"nested":{"Source":{"values":{"SOURCE_MASTER":0,"SOURCE_AGENT":1,"SOURCE_EXECUTOR":2}},"Reason":{"values":{"REASON_COMMAND_EXECUTOR_FAILED":0,"REASON_EXECUTOR_TERMINATED":1,"REASON_EXECUTOR_UNREGISTERED":2,"REASON_FRAMEWORK_REMOVED":3,"REASON_GC_ERROR":4,"REASON_INVALID_FRAMEWORKID":5,"REASON_INVALID_OFFERS":6,"REASON_MASTER_DISCONNECTED":7,"REASON_CONTAINER_LIMITATION_MEMORY":8,"REASON_RECONCILIATION":9,"REASON_AGENT_DISCONNECTED":10,"REASON_AGENT_REMOVED":11,"REASON_AGENT_RESTARTED":12,"REASON_AGENT_UNKNOWN":13,"REASON_TASK_INVALID":14,"REASON_TASK_UNAUTHORIZED":15,"REASON_TASK_UNKNOWN":16,"REASON_CONTAINER_PREEMPTED":17,"REASON_RESOURCES_UNKNOWN":18,"REASON_CONTAINER_LIMITATION":19,"REASON_CONTAINER_LIMITATION_DISK":20,"REASON_CONTAINER_LAUNCH_FAILED":21,"REASON_CONTAINER_UPDATE_FAILED":22,"REASON_EXECUTOR_REGISTRATION_TIMEOUT":23,"REASON_EXECUTOR_REREGISTRATION_TIMEOUT":24,"REASON_TASK_GROUP_INVALID":25,"REASON_TASK_GROUP_UNAUTHORIZED":26,"REASON_IO_SWITCHBOARD_EXITED":27,"REASON_TASK_CHECK_STATUS_UPDATED":28,"REASON_TASK_HEALTH_CHECK_STATUS_UPDATED":29,"REASON_TASK_KILLED_DURING_LAUNCH":30,"REASON_AGENT_REMOVED_BY_OPERATOR":31,"REASON_AGENT_REREGISTERED":32,"REASON_MAX_COMPLETION_TIME_REACHED":33,"REASON_AGENT_DRAINING":34}}}},"ContainerStatus":{"edition":"proto2","fields":{"network_infos":{"rule":"repeated","type":"NetworkInfo","id":1},"executor_pid":{"type":"uint32","id":3},"container_id":{"type":"ContainerID","id":4}}},"TaskResourceLimitation":{"edition":"proto2","fields":{"resources":{"rule":"repeated","type":"Resource","id":1}}},"scheduler":{"nested":{"Event":{"edition":"proto2","fields":{"type":{"type":"Type","id":1},"subscribed":{"type":"Subscribed","id":2},"offers":{"type":"Offers","id":3},"rescind":{"type":"Rescind","id":4},"update":{"type":"Update","id":5},"message":{"type":"Message","id":6},"failure":{"type":"Failure","id":7},"error":{"type":"Error","id":8},"inverse_offers":{"type":"InverseOffers","id":9},"rescind_inverse_offer":{"type":"RescindInverseOffer","id":10}},"nested":{"Type":{"values":{"UNKNOWN":0,"SUBSCRIBED":1,"OFFERS":2,"RESCIND":3,"UPDATE":4,"MESSAGE":5,"FAILURE":6,"ERROR":7,"HEARTBEAT":8,"INVERSE_OFFERS":9,"RESCIND_INVERSE_OFFER":10,"UPDATE_OPERATION_STATUS":11}},"Subscribed":{"fields":{"framework_id":{"rule":"required","type":"FrameworkID","id":1},"heartbeat_interval_seconds":{"type":"double","id":2},"master_info":{"type":"MasterInfo","id":3}}},"Offers":{"fields":{"offers":{"rule":"repeated","type":"Offer","id":1}}},"InverseOffers":{"fields":{"inverse_offers":{"rule":"repeated","type":"InverseOffer","id":1}}},"Rescind":{"fields":{"offer_id":{"rule":"required","type":"OfferID","id":1}}},"RescindInverseOffer":{"fields":{"inverse_offer_id":{"rule":"required","type":"OfferID","id":1}}},"Update":{"fields":{"status":{"rule":"required","type":"TaskStatus","id":1}}},"Message":{"fields":{"agent_id":{"rule":"required","type":"AgentID","id":1},"executor_id":{"rule":"required","type":"ExecutorID","id":2},"data":{"rule":"required","type":"bytes","id":3}}},"Failure":{"fields":{"agent_id":{"type":"AgentID","id":1},"executor_id":{"type":"ExecutorID","id":2},"status":{"type":"int32","id":3}}},"Error":{"fields":{"message":{"rule":"required","type":"string","id":1}}}}},"Call":{"edition":"proto2","fields":{"framework_id":{"type":"FrameworkID","id":1},"type":{"type":"Type","id":2},"subscribe":{"type":"Subscribe","id":3},"accept":{"type":"Accept","id":4},"decline":{"type":"Decline","id":5},"kill":{"type":"Kill","id":6},"shutdown":{"type":"Shutdown","id":7},"acknowledge":{"type":"Acknowledge","id":8},"reconcile":{"type":"Reconcile","id":9},"message":{"type":"Message","id":10},"accept_inverse_offers":{"type":"AcceptInverseOffers","id":13},"decline_inverse_offers":{"type":"DeclineInverseOffers","id":14},"revive":{"type":"Revive","id":15},"suppress":{"type":"Suppress","id":16}},"nested":{"Type":{"values":{"UNKNOWN":0,"SUBSCRIBE":1,"TEARDOWN":2,"ACCEPT":3,"DECLINE":4,"REVIVE":5,"KILL":6,"SHUTDOWN":7,"ACKNOWLEDGE":8,"RECONCILE":9,"MESSAGE":10,"REQUEST":11,"SUPPRESS":12,"ACCEPT_INVERSE_OFFERS":13,"DECLINE_INVERSE_OFFERS":14,"ACKNOWLEDGE_OPERATION_STATUS":15,"RECONCILE_OPERATIONS":16,"UPDATE_FRAMEWORK":17}},"Subscribe":{"fields":{"framework_info":{"rule":"required","type":"FrameworkInfo","id":1},"suppressed_roles":{"rule":"repeated","type":"string","id":2}}},"Accept":{"fields":{"offer_ids":{"rule":"repeated","type":"OfferID","id":1},"operations":{"rule":"repeated","type":"Offer.Operation","id":2},"filters":{"type":"Filters","id":3}}},"Decline":{"fields":{"offer_ids":{"rule":"repeated","type":"OfferID","id":1},"filters":{"type":"Filters","id":2}}},"AcceptInverseOffers":{"fields":{"inverse_offer_ids":{"rule":"repeated","type":"OfferID","id":1},"filters":{"type":"Filters","id":2}}},"DeclineInverseOffers":{"fields":{"inverse_offer_ids":{"rule":"repeated","type":"OfferID","id":1},"filters":{"type":"Filters","id":2}}},"Revive":{"fields":{"roles":{"rule":"repeated","type":"string","id":1}}},"Suppress":{"fields":{"roles":{"rule":"repeated","type":"string","id":1}}},"Kill":{"fields":{"task_id":{"rule":"required","type":"TaskID","id":1},"agent_id":{"type":"AgentID","id":2},"kill_policy":{"type":"KillPolicy","id":3}}},"Shutdown":{"fields":{"executor_id":{"rule":"required","type":"ExecutorID","id":1},"agent_id":{"rule":"required","type":"AgentID","id":2}}},"Acknowledge":{"fields":{"agent_id":{"rule":"required","type":"AgentID","id":1},"task_id":{"rule":"required","type":"TaskID","id":2},"uuid":{"rule":"required","type":"bytes","id":3}}},"Reconcile":{"fields":{"tasks":{"rule":"repeated","type":"Task","id":1}},"nested":{"Task":{"fields":{"task_id":{"rule":"required","type":"TaskID","id":1},"agent_id":{"type":"AgentID","id":2}}}}},"Message":{"fields":{"agent_id":{"rule":"required","type":"AgentID","id":1},"executor_id":{"rule":"required","type":"ExecutorID","id":2},"data":{"rule":"required","type":"bytes","id":3}}}}}}},"executor":{"nested":{"Event":{"edition":"proto2","fields":{"type":{"type":"Type","id":1},"subscribed":{"type":"Subscribed","id":2},"acknowledged":{"type":"Acknowledged","id":3},"launch":{"type":"Launch","id":4},"kill":{"type":"Kill","id":5},"message":{"type":"Message","id":6},"error":{"type":"Error","id":7},"launch_group":{"type":"LaunchGroup","id":8}},"nested":{"Type":{"values":{"UNKNOWN":0,"SUBSCRIBED":1,"LAUNCH":2,"KILL":3,"ACKNOWLEDGED":4,"MESSAGE":5,"ERROR":6,"SHUTDOWN":7,"LAUNCH_GROUP":8,"HEARTBEAT":9}},"Subscribed":{"fields":{"executor_info":{"rule":"required","type":"ExecutorInfo","id":1},"framework_info":{"rule":"required","type":"FrameworkInfo","id":2},"agent_info":{"rule":"required","type":"AgentInfo","id":3},"container_id":{"type":"ContainerID","id":4}}},"Launch":{"fields":{"task":{"rule":"required","type":"TaskInfo","id":1}}},"LaunchGroup":{"fields":{"task_group":{"rule":"required","type":"TaskGroupInfo","id":1}}},"Kill":{"fields":{"task_id":{"rule":"required","type":"TaskID","id":1},"kill_policy":{"type":"KillPolicy","id":2}}},"Acknowledged":{"fields":{"task_id":{"rule":"required","type":"TaskID","id":1},"uuid":{"rule":"required","type":"bytes","id":2}}},"Message":{"fields":{"data":{"rule":"required","type":"bytes","id":1}}},"Error":{"fields":{"message":{"rule":"required","type":"string","id":1}}}}},"Call":{"edition":"proto2","fields":{"executor_id":{"rule":"required","type":"ExecutorID","id":1},"framework_id":{"rule":"required","type":"FrameworkID","id":2},"type":{"type":"Type","id":3},"subscribe":{"type":"Subscribe","id":4},"update":{"type":"Update","id":5},"message":{"type":"Message","id":6}},"nested":{"Type":{"values":{"UNKNOWN":0,"SUBSCRIBE":1,"UPDATE":2,"MESSAGE":3,"HEARTBEAT":4}},"Subscribe":{"fields":{"unacknowledged_tasks":{"rule":"repeated","type":"TaskInfo","id":1},"unacknowledged_updates":{"rule":"repeated","type":"Update","id":2}}},"Update":{"fields":{"status":{"rule":"required","type":"TaskStatus","id":1}}},"Message":{"fields":{"data":{"rule":"required","type":"bytes","id":2}}}}}}}}}}}}};
