# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sinks in memory: what they are made of, what is wrong with them, and what they consume."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MASK = "********"

_SECRET = re.compile(r"passw|secret|private.?key|credential|token|access.?key|jaas|secureconnectbundle", re.IGNORECASE)
_DEFAULTS = {
    "parallelism": 1,
    "processingGuarantees": "ATLEAST_ONCE",
    "sourceSubscriptionPosition": "Latest",
    "autoAck": True,
    "retainOrdering": False,
    "cleanupSubscription": True,
    "timeoutMs": 5000,
    "configs": {},
}


@dataclass(frozen=True)
class Connector:
    """A built-in connector; known is None where any key of its configuration is taken."""

    description: str
    sink_class: str
    required: tuple[str, ...] = ()
    known: frozenset[str] | None = None


def _connector(description: str, sink_class: str, required: str = "", optional: str | None = None) -> Connector:
    known = None if optional is None else frozenset((*required.split(), *optional.split()))
    return Connector(description, f"org.apache.pulsar.io.{sink_class}", tuple(required.split()), known)


# Those that the vendor's documentation names. The keys are those of Apache Pulsar's connectors.
CONNECTORS = {
    "bigquery": _connector("BigQuery sink", "bigquery.BigQuerySink"),
    "cassandra-enhanced": _connector("Astra DB and Cassandra sink", "cassandra.CassandraSinkTask"),
    "cloud-storage": _connector(
        "S3, GCS and Azure Blob Storage sink",
        "jcloud.CloudStorageGenericRecordSink",
        "provider bucket",
        "region endpoint accessKeyId secretAccessKey role roleSessionName gcsServiceAccountKeyFilePath "
        "gcsServiceAccountKeyFileContent azureStorageAccountSASToken azureStorageAccountName azureStorageAccountKey "
        "azureStorageAccountConnectionString formatType partitionerType partitionerUseIndexAsOffset "
        "timePartitionPattern timePartitionDuration batchSize batchTimeMs maxBatchBytes pathPrefix pendingQueueSize "
        "sliceTopicPartitionPath skipFailedMessages useHumanReadableMessageId useHumanReadableSchemaVersion "
        "withMetadata withTopicPartitionNumber bytesFormatTypeSeparator jsonAllowNaN avroCodec parquetCodec",
    ),
    "elastic_search": _connector(
        "Elasticsearch and OpenSearch sink",
        "elasticsearch.ElasticSearchSink",
        "elasticSearchUrl indexName",
        "username password token apiKey schemaEnable keyIgnore nullValueAction malformedDocAction primaryFields ssl "
        "bulkEnabled bulkActions bulkSizeInMb bulkConcurrentRequests bulkFlushIntervalInMs createIndexIfNeeded "
        "indexNumberOfShards indexNumberOfReplicas typeName maxRetries retryBackoffInMs maxRetryTimeInSec "
        "connectTimeoutInMs connectionRequestTimeoutInMs connectionIdleTimeoutInMs socketTimeoutInMs compatibilityMode "
        "compressionEnabled stripNulls stripNonPrintableCharacters idHashingAlgorithm canonicalKeyFields copyKeyFields",
    ),
    "jdbc-clickhouse": _connector("ClickHouse sink", "jdbc.ClickHouseJdbcAutoSchemaSink"),
    "jdbc-mariadb": _connector("MariaDB sink", "jdbc.MariadbJdbcAutoSchemaSink"),
    "jdbc-postgres": _connector("PostgreSQL sink", "jdbc.PostgresJdbcAutoSchemaSink"),
    "jdbc-sqlite": _connector("SQLite sink", "jdbc.SqliteJdbcAutoSchemaSink"),
    "kafka": _connector(
        "Kafka sink",
        "kafka.KafkaBytesSink",
        "bootstrapServers topic",
        "acks batchSize maxRequestSize producerConfigProperties securityProtocol saslMechanism saslJaasConfig "
        "sslEnabledProtocols sslEndpointIdentificationAlgorithm sslTruststoreLocation sslTruststorePassword "
        "keySerializerClass valueSerializerClass",
    ),
    "kinesis": _connector(
        "Kinesis sink",
        "kinesis.KinesisSink",
        "awsKinesisStreamName",
        "awsEndpoint awsRegion awsCredentialPluginName awsCredentialPluginParam messageFormat retainOrdering "
        "cloudwatchEndpoint skipCertificateValidation jsonIncludeNonNulls jsonFlatten retryInitialDelayInMillis "
        "retryMaxDelayInMillis",
    ),
    "snowflake": _connector(
        "Snowflake sink",
        "kafka.connect.KafkaConnectSink",
        "topic offsetStorageTopic kafkaConnectorConfigProperties",
        "batchSize lingerTimeMs maxBatchBitsForLinger kafkaConnectorSinkClass unwrapKeyValueIfAvailable "
        "sanitizeTopicName useOptionalPrimitives",
    ),
}


@dataclass
class Sink:
    """A sink.

    :ivar config: as it was sent, merged over what an update left out.
    :ivar is_stopped: whether somebody has stopped it.
    :ivar refuses: whether its target refuses connections; tests set it.
    :ivar written: what arrived at its target.
    :ivar runs: how often it was started: what a timer of an earlier run does is void.
    """

    tenant: str
    namespace: str
    name: str
    config: dict
    is_stopped: bool = False
    refuses: bool = False
    error: str = ""
    written: list[bytes] = field(default_factory=list)
    last_received: float = 0.0
    runs: int = 0

    @property
    def connector(self) -> Connector:
        """The connector that its archive names."""
        return CONNECTORS[self.config["archive"].removeprefix("builtin://")]

    @property
    def subscription(self) -> str:
        """The name of its subscription."""
        return self.config.get("sourceSubscriptionName", f"{self.tenant}/{self.namespace}/{self.name}")

    @property
    def inputs(self) -> list[str]:
        """The full names of the topics that it reads."""
        return [*self.config.get("inputs", ()), *self.config.get("inputSpecs", ())]

    @property
    def is_running(self) -> bool:
        """Whether status says that it runs."""
        return not (self.is_stopped or self.refuses or self.error)

    def get(self, name: str) -> Any:
        """Return a field with its default."""
        return self.config.get(name, _DEFAULTS.get(name))

    def find_error(self, topic_exists: Callable[[str], bool]) -> str:
        """Return why it fails after it was accepted, in the connector's own words, or nothing."""
        for topic in self.inputs:
            if not topic_exists(topic):
                return f"org.apache.pulsar.client.api.PulsarClientException$TopicDoesNotExistException: Topic {topic}"
        configs, connector = self.get("configs"), self.connector
        for key in configs:
            if connector.known is not None and key not in connector.known:
                return f'Unrecognized field "{key}" (class {connector.sink_class}Config), not marked as ignorable'
        for key in connector.required:
            if not configs.get(key):
                return f"java.lang.IllegalArgumentException: Required {key} not set."
        return ""

    def show(self, with_secrets: bool, as_strings: bool) -> dict:
        """Return what GET answers."""
        shown = {**_DEFAULTS, "tenant": self.tenant, "namespace": self.namespace, "name": self.name, **self.config}
        shown["className"] = self.connector.sink_class
        shown["inputs"] = self.inputs
        shown["inputSpecs"] = {topic: {"isRegexPattern": False, "schemaProperties": {}} for topic in self.inputs}
        shown["configs"] = shown["configs"] if with_secrets else mask(shown["configs"])
        if as_strings:
            shown["configs"] = write_as_strings(shown["configs"])
        return shown

    def show_instance(self) -> dict:
        """Return the status of its one instance."""
        return {
            "running": self.is_running,
            "error": self.error,
            "numRestarts": 0,
            "numReadFromPulsar": len(self.written),
            "numSystemExceptions": 0,
            "latestSystemExceptions": [],
            "numSinkExceptions": 0,
            "latestSinkExceptions": [],
            "numWrittenToSink": len(self.written),
            "lastReceivedTime": int(self.last_received * 1000),
            "workerId": "pulsar-function-0",
        }

    def show_status(self) -> dict:
        """Return the status of all its instances."""
        count = self.get("parallelism")
        instances = [{"instanceId": number, "status": self.show_instance()} for number in range(count)]
        return {"numInstances": count, "numRunning": count if self.is_running else 0, "instances": instances}


def mask(configs: dict) -> dict:
    """Return a connector's configuration with the values of secrets masked, at every depth."""
    return {
        key: mask(value) if isinstance(value, dict) else MASK if _SECRET.search(key) else value
        for key, value in configs.items()
    }


def write_as_strings(document: Any) -> Any:
    """Return a document with numbers, true and false as strings."""
    match document:
        case dict():
            return {key: write_as_strings(value) for key, value in document.items()}
        case list():
            return [write_as_strings(value) for value in document]
        case bool():
            return str(document).lower()
        case int() | float():
            return str(document)
    return document
