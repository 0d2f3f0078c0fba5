# Not built or run yet; see the README's limits. Images are named by their exact versions; docs/operations.md says how to pin them by digest.
FROM mcr.microsoft.com/dotnet/sdk:10.0.401-noble AS build
WORKDIR /source
COPY . .
RUN dotnet publish ThreatFeeds.Api -c Release -o /app

# The Ubuntu image carries ICU, which names in other scripts need.
FROM mcr.microsoft.com/dotnet/aspnet:10.0.12-noble
WORKDIR /app
COPY --from=build /app .
RUN mkdir -p /data && chown app /data && chmod 700 /data
USER app
VOLUME /data
# Inside a container loopback reaches nobody. There is no login, so that it does not start until whoever runs it says with Http__AllowOpen=true that this is meant.
ENV Data__Directory=/data urls=http://0.0.0.0:5080
EXPOSE 5080
ENTRYPOINT ["/app/threatfeeds"]
