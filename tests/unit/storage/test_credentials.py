"""By what stores let us in: the environment first, then a profile of AWS."""

import os

import pytest

from storycore.errors import DependencyFailed
from storycore.storage.credentials import options, remedy, server
from storycore.storage.place import Kind


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def given(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_the_environment_goes_before_a_profile(monkeypatch, tmp_path):
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id=P\naws_secret_access_key=PS\n")
    (tmp_path / "config").write_text("[default]\nregion=eu-north-1\nendpoint_url=https://s3.studio.example\n")
    from_profile = {"access_key_id": "P", "secret_access_key": "PS", "region": "eu-north-1",
                    "endpoint": "https://s3.studio.example"}  # fmt: skip
    assert options(Kind.S3) == from_profile
    given(monkeypatch, AWS_ACCESS_KEY_ID="E", AWS_SECRET_ACCESS_KEY="ES", AWS_SESSION_TOKEN="T", AWS_REGION="us-west-2")
    assert options(Kind.S3) == {"access_key_id": "E", "secret_access_key": "ES", "session_token": "T",
                                "region": "us-west-2", "endpoint": "https://s3.studio.example"}  # fmt: skip


def test_a_file_that_is_none_is_as_good_as_none(tmp_path):
    (tmp_path / "credentials").write_bytes(b"\xff\xfe\0no section")
    with pytest.raises(DependencyFailed, match="no credentials for S3"):
        options(Kind.S3)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"AZURE_STORAGE_CONNECTION_STRING": "AccountName=a;AccountKey=k==;BlobEndpoint=http://x.example/a/"},
         {"account_name": "a", "account_key": "k==", "endpoint": "http://x.example/a",
          "credential_type": "access_key"}),
        ({"AZURE_STORAGE_CONNECTION_STRING": "AccountName=a;SharedAccessSignature=sv=1&sig=2"},
         {"account_name": "a", "sas_key": "sv=1&sig=2", "credential_type": "sas_token"}),
        ({"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT_KEY": "k"},
         {"account_name": "a", "account_key": "k", "credential_type": "access_key"}),
        ({"AZURE_STORAGE_ACCOUNT": "a", "AZURE_STORAGE_SAS_TOKEN": "s"},
         {"account_name": "a", "sas_key": "s", "credential_type": "sas_token"}),
        ({"AZURE_STORAGE_ACCOUNT": "a", "AZURE_CLIENT_ID": "i", "AZURE_CLIENT_SECRET": "s", "AZURE_TENANT_ID": "t"},
         {"account_name": "a", "client_id": "i", "client_secret": "s", "tenant_id": "t",
          "credential_type": "client_secret"}),
    ],
)  # fmt: skip
def test_azure_is_opened_in_the_ways_that_its_own_tools_know(monkeypatch, values, told):
    given(monkeypatch, **values)
    assert options(Kind.AZURE) == told


@pytest.mark.parametrize("values", [{}, {"AZURE_STORAGE_ACCOUNT": "a"}, {"AZURE_STORAGE_ACCOUNT_KEY": "k"},
                                    {"AZURE_STORAGE_ACCOUNT": "a", "AZURE_CLIENT_ID": "i"}])  # fmt: skip
def test_half_of_what_azure_needs_is_told_as_nothing(monkeypatch, values):
    given(monkeypatch, **values)
    with pytest.raises(DependencyFailed) as told:
        options(Kind.AZURE)
    assert (told.value.reason, "AZURE_STORAGE" in told.value.remediation) == ("store_unavailable", True)


def test_google_is_opened_by_one_thing_only(monkeypatch):
    with pytest.raises(DependencyFailed, match="no credentials for Google"):
        options(Kind.GOOGLE)
    given(monkeypatch, GOOGLE_APPLICATION_CREDENTIALS="/keys/a.json")
    assert options(Kind.GOOGLE) == {"application_credentials": "/keys/a.json"}
    given(monkeypatch, GOOGLE_SERVICE_ACCOUNT_KEY="{}", GOOGLE_BASE_URL="http://127.0.0.1:1")
    assert options(Kind.GOOGLE) == {"service_account_key": "{}", "base_url": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    "address",
    ["http://x.example/a", "http://X.example/a/", "http://me:secret@x.example/a", "http://x.example/a/?sv=1&sig=secret",
     "http://x.example/a?sig=se://cr/et@", "http://x.example/a#secret"],
)  # fmt: skip
def test_the_address_that_people_are_told_holds_no_secret(address):
    assert server({"endpoint": address}) == "http://x.example/a"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8333", "s3.example", "http:///films", "https://:8333", "ftp://x.example", "http://x.example:99999", "http://[::1",
     "http://x .example", "http://x.example/ä", "http://x.example:0", "http://{x}.example"],
)  # fmt: skip
def test_an_address_that_is_none_is_told_before_anybody_is_asked(monkeypatch, address):
    given(monkeypatch, AWS_ACCESS_KEY_ID="k", AWS_SECRET_ACCESS_KEY="s", AWS_ENDPOINT_URL=address)
    with pytest.raises(DependencyFailed) as told:
        options(Kind.S3)
    assert ("AWS_ENDPOINT_URL" in told.value.remediation, address in str(told.value.as_dict())) == (True, False)
    assert told.value.details["retryable"] is False


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8333", "HTTPS://S3.example/a/", "https://me:s@x.example", "http://[::1]:1"]
)
def test_an_address_of_a_server_is_taken_as_it_is(monkeypatch, address):
    given(monkeypatch, AWS_ACCESS_KEY_ID="k", AWS_SECRET_ACCESS_KEY="s", AWS_ENDPOINT_URL=address)
    assert options(Kind.S3)["endpoint"] == address


def test_who_must_correct_an_address_is_told_every_place_where_it_may_be_set(monkeypatch):
    given(monkeypatch, AWS_ACCESS_KEY_ID="k", AWS_SECRET_ACCESS_KEY="s", AWS_ENDPOINT_URL="http://right.example")
    given(monkeypatch, AWS_ENDPOINT_URL_S3="http://wrong.example")
    told = remedy(Kind.S3, options(Kind.S3))
    assert [name for name in ("AWS_ENDPOINT_URL,", "AWS_ENDPOINT_URL_S3", "endpoint_url") if name not in told] == []
