using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using ThreatFeeds.Pulling;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>What a server's certificate can make us do, and what it must be for.</summary>
public sealed class CertificateTests : FetchingTest
{
    private readonly TestAuthority _unknown = new("unknown"), _ours = new("ours");

    [Fact]
    public async Task A_certificate_sends_nobody_to_the_addresses_it_names()
    {
        await using HostileServer inner = await HostileServer.TextAsync("");
        using X509Certificate2 certificate = _unknown.Issue("127.0.0.1", more: Naming(inner.Url));
        await using HostileServer server = await HostileServer.StartAsync(c => c.Response.WriteAsync("bad.example\n"), certificate);
        Assert.Contains("is not trusted", (await RefusedAsync(server.Url)).Message);
        Assert.Contains("is not trusted", (await RefusedAsync(server.Url, o => o.CaFile = _ours.WritePem(Folder.Path))).Message);
        Assert.Empty(inner.Requests);
    }

    [Fact]
    public async Task Neither_does_one_that_is_trusted()
    {
        await using HostileServer inner = await HostileServer.TextAsync("");
        using X509Certificate2 certificate = _ours.Issue("127.0.0.1", more: Naming(inner.Url));
        await using HostileServer server = await HostileServer.StartAsync(c => c.Response.WriteAsync("bad.example\n"), certificate);
        await using FetchedBody body = await FetchAsync(server.Url, o => o.CaFile = _ours.WritePem(Folder.Path));
        Assert.Equal(12, body.Bytes);
        Assert.Empty(inner.Requests);
    }

    [Fact]
    public async Task A_certificate_for_clients_is_no_server_s()
    {
        using X509Certificate2 certificate = _ours.Issue("127.0.0.1", usage: TestAuthority.ForClients);
        await using HostileServer server = await HostileServer.StartAsync(c => c.Response.WriteAsync("bad.example\n"), certificate);
        FetchException e = await RefusedAsync(server.Url, o => o.CaFile = _ours.WritePem(Folder.Path));
        Assert.Contains("is not trusted", e.Message);
        Assert.Empty(server.Requests);
    }

    protected override void Dispose(bool disposing)
    {
        _unknown.Dispose();
        _ours.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Where the issuer's certificate, what it has revoked, and whoever answers for it are said to be.</summary>
    private static X509Extension[] Naming(string url) =>
    [
        new X509AuthorityInformationAccessExtension([url + "/ocsp"], [url + "/ca.cer"]),
        CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([url + "/revoked.crl"]),
    ];
}
