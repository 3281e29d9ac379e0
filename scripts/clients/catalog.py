"""The clients: what is installed of each, newest unless pinned, and the script that tries it."""

import dataclasses

COLUMNS = ("plain", "stream", "tools", "structured", "SageMaker", "embeddings", "newer", "models", "health", "faults")


@dataclasses.dataclass(frozen=True)
class Client:
    """`packages[0]` is the one whose version the table shows. `script` is a file of `checks/`."""

    name: str
    script: str
    packages: tuple[str, ...] = ()
    shown: str = ""  # in the table, where it differs from the name

    @property
    def kind(self) -> str:
        """`npm`, `pip`, or `system` where nothing is installed."""
        return "npm" if self.script.endswith(".mjs") else "pip" if self.packages else "system"


CLIENTS = (
    Client("boto3", "boto3_client.py", ("boto3",)),
    Client("aioboto3", "aiobotocore_client.py", ("aioboto3",)),
    Client("awscli", "awscli_client.py", ("awscli",), "AWS CLI"),
    Client(
        "aws-sdk-js",
        "aws_sdk.mjs",
        ("@aws-sdk/client-bedrock-runtime", "@aws-sdk/client-sagemaker-runtime"),
        "AWS SDK for JavaScript (HTTP/2)",
    ),
    Client(
        "ai-sdk", "ai_sdk.mjs", ("@ai-sdk/amazon-bedrock", "@ai-sdk/openai-compatible", "ai", "zod"), "Vercel AI SDK"
    ),
    Client("anthropic", "anthropic_client.py", ("anthropic[bedrock]",)),
    Client("openai", "openai_client.py", ("openai", "aws-bedrock-token-generator")),
    Client("openai-js", "openai_js.mjs", ("openai",), "openai for JavaScript"),
    Client("huggingface_hub", "huggingface_client.py", ("huggingface_hub",)),
    Client("langchain-aws", "langchain_aws_client.py", ("langchain-aws",)),
    Client("litellm", "litellm_client.py", ("litellm", "boto3")),
    Client("llama-index", "llama_index_client.py", ("llama-index-llms-bedrock-converse",)),
    Client("pydantic-ai", "pydantic_ai_client.py", ("pydantic-ai-slim[bedrock,openai]",)),
    Client("instructor", "instructor_client.py", ("instructor[bedrock]", "anthropic[bedrock]", "openai", "boto3")),
    Client("strands-agents", "strands_client.py", ("strands-agents",)),
    Client("sagemaker", "sagemaker_client.py", ("sagemaker",), "SageMaker Python SDK"),
    Client("llmeter", "llmeter_client.py", ("llmeter[openai]", "httpx")),
    Client("genai-bench", "genai_bench_client.py", ("genai-bench", "boto3")),
    Client("guidellm", "guidellm_client.py", ("guidellm",)),
    Client("aiperf", "aiperf_client.py", ("aiperf",)),
    Client("curl", "curl_client.py"),
)
