"""A proxy's user and password, as they are, as a URL has them and as a header has them; and boto3 to compare with."""

import base64

import boto3

SECRET = "s3cr3t/pässword"
QUOTED = "s3cr3t%2Fp%C3%A4ssword"
KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
BASIC = "Basic " + base64.b64encode(f"m.user:{SECRET}".encode()).decode()
SESSION: list[boto3.Session] = []


def boto3s_session() -> boto3.Session:
    if not SESSION:
        SESSION.append(boto3.Session())
    return SESSION[0]
