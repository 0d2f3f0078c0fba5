# Not built or run yet; see the README's limits.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish ThreatFeeds.Api -c Release -o /app

# The Debian image carries ICU, which names in other scripts need.
FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app .
RUN mkdir -p /data && chown app /data && chmod 700 /data
USER app
VOLUME /data
ENV Data__Directory=/data urls=http://0.0.0.0:5080 Http__AllowOpen=true
EXPOSE 5080
ENTRYPOINT ["/app/threatfeeds"]
