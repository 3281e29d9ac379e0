"""The products of the pricing route: a small table, in the form of items of AWS's price list. The figures are examples."""

import hashlib
import typing

REGIONS = {
    "us-east-1": ("USE1", "US East (N. Virginia)"),
    "us-west-2": ("USW2", "US West (Oregon)"),
    "eu-west-1": ("EU", "Europe (Ireland)"),
}
HOSTING, BEDROCK, MARKETPLACE = "AmazonSageMaker", "AmazonBedrock", "AmazonBedrockFoundationModels"
SERVICE = "AmazonBedrockService"
PUBLISHED, VERSION = "2026-11-20T18:02:11Z", "20261120180211"

#: instance type -> USD an hour of a real-time endpoint, and of training, which is another product
_INSTANCES = {
    "ml.g5.xlarge": "1.408",
    "ml.g5.12xlarge": "7.09",
    "ml.g6.xlarge": "1.1267",
    "ml.p4d.24xlarge": "25.251286",
    "ml.inf2.xlarge": "0.9889",
}
#: model -> (name in usage types, provider, USD per 1,000 tokens: input, output, cache read)
_FIRST_PARTY = {
    "Nova Lite": ("NovaLite", "Amazon", "0.00006", "0.00024", "0.000015"),
    "Llama 3.1 70B": ("Llama3-1-70B", "Meta", "0.00072", "0.00072", None),
}
#: what is added to a usage type -> (service tier, factor)
_TIERS = {"": ("standard", 1.0), "-flex": ("flex", 0.5), "-priority": ("priority", 1.75), "-batch": ("standard", 0.5)}
#: usage type's end -> USD per million tokens
_MARKET = {
    "Claude Sonnet 4.5": {
        "InputTokenCount": "3.3", "OutputTokenCount": "16.5", "CacheReadInputTokenCount": "0.33", "CacheWriteInputTokenCount": "4.125",
        "CacheWrite1hInputTokenCount": "6.6", "InputTokenCount_Global": "3", "OutputTokenCount_Global": "15",
        "CacheReadInputTokenCount_Global": "0.3", "CacheWriteInputTokenCount_Global": "3.75", "CacheWrite1hInputTokenCount_Global": "6",
        "InputTokenCount_Batch": "1.65", "OutputTokenCount_Batch": "8.25",
    },
    "Claude Haiku 5.5": {
        "input_tokens_standard": "0.11", "output_tokens_standard": "0.55", "cache_read_tokens_standard": "0.011",
        "cache_write_tokens_standard": "0.1375", "cache_write_tokens_1h_standard": "0.22", "input_tokens_long_ctx_standard": "0.55",
        "output_tokens_long_ctx_standard": "2.75", "cache_read_tokens_long_ctx_standard": "0.055",
        "cache_write_tokens_long_ctx_standard": "0.6875", "cache_write_tokens_1h_long_ctx_standard": "1.1",
    },
    "Cohere Rerank v3.5": {"search_units": "0.002"},
    "Palmyra X9": {"input_tokens_standard": "1", "output_tokens_standard": "2"},
}  # fmt: skip


#: of what AWS bills itself of Claude: usage type's end -> USD per 1,000 tokens
_SERVICE = {
    "input-tokens": "0.003", "output-tokens": "0.015", "cache-read-input-token-count": "0.0003",
    "cache-write-input-token-count": "0.00375", "cache-write-input-token-count-1-hour": "0.006",
}  # fmt: skip


class Product(typing.NamedTuple):
    """One item of the price list, before it is written as one."""

    service: str
    region: str
    family: str
    attributes: dict[str, str]
    unit: str
    usd: str
    description: str | None = None

    def item(self) -> dict:
        """As GetProducts has it."""
        sku = hashlib.sha256(repr(self).encode()).hexdigest()[:16].upper()
        term, rate = f"{sku}.JRTCKXETXF", f"{sku}.JRTCKXETXF.6YS6EN2CT7"
        dimension = {
            "unit": self.unit,
            "endRange": "Inf",
            "description": self.description or f"${self.usd} per {self.unit} of {self.attributes['usagetype']}",
            "appliesTo": [],
            "rateCode": rate,
            "beginRange": "0",
            "pricePerUnit": {"USD": f"{float(self.usd):.10f}"},
        }
        offer = {
            "priceDimensions": {rate: dimension},
            "sku": sku,
            "effectiveDate": "2026-11-01T00:00:00Z",
            "offerTermCode": "JRTCKXETXF",
            "termAttributes": {},
        }
        return {
            "product": {"productFamily": self.family, "attributes": self.all_attributes(), "sku": sku},
            "serviceCode": self.service,
            "terms": {"OnDemand": {term: offer}},
            "version": VERSION,
            "publicationDate": PUBLISHED,
        }

    def all_attributes(self) -> dict[str, str]:
        """Those that filters find."""
        _, location = REGIONS.get(self.region, ("", self.region))
        common = {
            "regionCode": self.region,
            "location": location,
            "locationType": "AWS Region",
            "servicecode": self.service,
        }
        return common | self.attributes


def products() -> list[Product]:
    """The whole table, of every region; prices are the same in all of them."""
    found: list[Product] = []
    for region, (code, _) in REGIONS.items():
        found += _hosted(region, code)
        found += _first_party(region, code)
        found += _service(region, code)
        found += _market(region, code)
    return found


def _hosted(region: str, code: str) -> typing.Iterator[Product]:
    for name, usd in _INSTANCES.items():
        for component, what in (("Hosting", "Host"), ("Training", "Train")):
            attributes = {
                "usagetype": f"{code}-{what}:{name}",
                "component": component,
                "instanceName": name,
                "instanceType": f"{name}-{component}",
                "operation": "RunInstance",
                "servicename": "Amazon SageMaker",
            }
            yield Product(HOSTING, region, "ML Instance", attributes, "Hrs", usd)


def _first_party(region: str, code: str) -> typing.Iterator[Product]:
    for model, (short, provider, *figures) in _FIRST_PARTY.items():
        named = {"model": model, "provider": provider, "servicename": "Amazon Bedrock"}
        for what, usd in zip(("input-tokens", "output-tokens", "cache-read-input-token-count"), figures, strict=True):
            for end, (tier, factor) in _TIERS.items():
                if usd is None or (end and what.startswith("cache")):
                    continue
                feature = "Batch Inference" if end == "-batch" else "On-demand Inference"
                attributes = {
                    **named,
                    "usagetype": f"{code}-{short}-{what}{end}",
                    "feature": feature,
                    "service_tier": tier,
                }
                yield Product(BEDROCK, region, "Amazon Bedrock", attributes, "1K tokens", f"{float(usd) * factor:.10f}")
        reserved = {**named, "usagetype": f"{code}-{short}-ProvisionedThroughput-ModelUnits"}
        yield Product(BEDROCK, region, "Amazon Bedrock", reserved, "hours", "20")


def _service(region: str, code: str) -> typing.Iterator[Product]:
    named = {"model": "Claude Sonnet 4", "provider": "Anthropic", "servicename": "Amazon Bedrock Service"}
    for end, usd in _SERVICE.items():
        attributes = {**named, "usagetype": f"{code}-Claude4Sonnet-{end}-cross-region-global"}
        yield Product(SERVICE, region, "Amazon Bedrock", attributes, "1K tokens", usd)
    attributes = {"usagetype": f"{code}-AmazonRerank-v1-searchunits", "servicename": "Amazon Bedrock"}
    yield Product(BEDROCK, region, "Amazon Bedrock", attributes, "Search Units", "0.001")


def _market(region: str, code: str) -> typing.Iterator[Product]:
    for model, ends in _MARKET.items():
        for end, usd in ends.items():
            attributes = {
                "usagetype": f"{code}-MP:{code}_{end}-Units",
                "servicename": f"{model} (Amazon Bedrock Edition)",
                "operation": "Usage",
            }
            unit = "Units" if end == "search_units" else "1M tokens"
            yield Product(MARKETPLACE, region, "Amazon Bedrock", attributes, unit, usd)
