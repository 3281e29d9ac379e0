"""What a run folder in S3 asks of IAM, for roles and messages. Nothing is deleted, and no object is put in parts."""

import typing


class Operation(typing.NamedTuple):
    """An action of IAM's. of: what it is allowed on; only_kms: it is needed where a KMS key encrypts."""

    action: str
    of: typing.Literal["bucket", "objects", "key"]
    why: str
    writes: bool = False  # whoever only reads runs does without
    only_kms: bool = False


OPERATIONS = (
    Operation("s3:ListBucket", "bucket", "what is there of a run, and which region the bucket is in"),
    Operation("s3:GetObject", "objects", "a run that is gone on with or reported, and the lease"),
    Operation("s3:PutObject", "objects", "the run as it grows, and the lease", writes=True),
    Operation("kms:Decrypt", "key", "reading", only_kms=True),
    Operation("kms:GenerateDataKey", "key", "writing", writes=True, only_kms=True),
)

#: method of boto3's client -> the action that it needs
ACTIONS = {"list_objects_v2": "s3:ListBucket", "get_object": "s3:GetObject", "put_object": "s3:PutObject"}
