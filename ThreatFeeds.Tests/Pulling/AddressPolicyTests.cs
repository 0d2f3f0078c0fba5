using System.Net;
using ThreatFeeds.Pulling;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

public sealed class AddressPolicyTests
{
    [Theory]
    [InlineData("93.184.215.14")]
    [InlineData("2606:2800:21f:cb07:6820:80da:af6b:8b2c")]
    [InlineData("64:ff9b::5db8:d70e")]
    [InlineData("2002:5db8:d70e::1")]
    [InlineData("::ffff:93.184.215.14")]
    public void Public_addresses_pass(string address) =>
        Assert.Null(new AddressPolicy([]).Refusal(IPAddress.Parse(address)));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.1.2.3")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.0.1")]
    [InlineData("::1")]
    [InlineData("fd12:3456::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("64:ff9b::a00:1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("2002:c0a8:1::1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("::127.0.0.1")]
    [InlineData("64:ff9b:1::a00:1")]
    [InlineData("::ffff:0:127.0.0.1")]
    [InlineData("2a00::5efe:10.0.0.1")]
    public void Inner_addresses_in_any_form_are_refused_without_allowed_networks(string address) =>
        Assert.Contains("Pulling:AllowedNetworks", new AddressPolicy([]).Refusal(IPAddress.Parse(address)));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    public void An_allowed_network_opens_its_addresses(string address) =>
        Assert.Null(new AddressPolicy([IPNetwork.Parse("127.0.0.0/8")]).Refusal(IPAddress.Parse(address)));

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("169.254.1.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("2002:a9fe:a9fe::1")]
    [InlineData("fe80::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fd00:ec2::23")]
    [InlineData("fd00:c1::a9fe:a9fe")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("::")]
    [InlineData("100.64.0.1")]
    [InlineData("100.100.100.200")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("ff02::1")]
    public void Some_addresses_are_never_allowed(string address)
    {
        var everything = new AddressPolicy([IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("::/0")]);
        Assert.Contains("never", everything.Refusal(IPAddress.Parse(address)));
    }
}
