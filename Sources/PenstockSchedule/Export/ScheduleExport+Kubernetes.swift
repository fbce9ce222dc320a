// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension ScheduleExport {
    /// A CronJob.
    func cronJob(_ job: Job, _ form: CalendarForm) -> File {
        let claim = "penstock-" + Self.label(project)
        let folder = "/etc/penstock/" + Self.asciiName(project)
        let name = Self.label("penstock-" + job.name)
        var environment = ["            env:", "              - {name: XDG_RUNTIME_DIR, value: /tmp}"]
        if !job.variables.isEmpty {
            environment += [
                "            envFrom:",
                "              - secretRef: {name: \(claim)-env}   # " + job.variables.joined(separator: ", "),
            ]
        }
        let deadline = job.definition.catchUp == .none ? 60 : 86_400
        let words = arguments(job, root: folder).map(Self.quoted).joined(separator: ", ")
        let secrets =
            job.credentials.isEmpty ? [] : ["            - {name: secrets, mountPath: /run/secrets, readOnly: true}"]
        let secretVolume =
            job.credentials.isEmpty
            ? []
            : [
                "            - name: secrets   # keys: " + job.credentials.joined(separator: ", "),
                "              secret: {secretName: \(claim), defaultMode: 0440}",
            ]
        let lines =
            [
                "# Written by penstock schedule export kubernetes.", "# \(Self.written(job))", "apiVersion: batch/v1",
                "kind: CronJob", "metadata:", "  name: \(name)",
                "  labels: {app.kubernetes.io/name: penstock, app.kubernetes.io/instance: \(Self.label(project))}",
                "spec:", "  schedule: \(Self.quoted(form.lines[0].plain))",
                "  timeZone: \(Self.quoted(Self.zone(form)))",
                "  concurrencyPolicy: Forbid", "  startingDeadlineSeconds: \(deadline)",
                "  successfulJobsHistoryLimit: 3", "  failedJobsHistoryLimit: 3", "  jobTemplate:", "    spec:",
                "      backoffLimit: 3",
                "      podFailurePolicy:   # only what passes by itself is tried again: 69 unreachable, 75 later",
                "        rules:", "          - action: FailJob",
                "            onExitCodes: {containerName: penstock, operator: In, values: [1, 64, 65, 70, 73, 77, 78]}",
                "      template:", "        spec:", "          restartPolicy: Never",
                "          automountServiceAccountToken: false",
                "          securityContext: {runAsNonRoot: true, runAsUser: 65532, fsGroup: 65532, "
                    + "seccompProfile: {type: RuntimeDefault}}",
                "          containers:", "          - name: penstock", "            image: \(Self.quoted(image))",
                "            args: [\(words)]",
            ] + environment + [
                "            securityContext:", "              allowPrivilegeEscalation: false",
                "              readOnlyRootFilesystem: true", "              capabilities: {drop: [ALL]}",
                "            volumeMounts:",
                "            - {name: project, mountPath: \(folder)}   # its .penstock is the state: one writer",
                "            - {name: tmp, mountPath: /tmp}",
            ] + secrets + [
                "          volumes:", "            - name: project",
                "              persistentVolumeClaim: {claimName: \(claim)}", "            - name: tmp",
                "              emptyDir: {}",
            ] + secretVolume
        return File(name: name + ".yaml", text: lines.joined(separator: "\n") + "\n")
    }

    private static func zone(_ form: CalendarForm) -> String { form.zone.name == "UTC" ? "Etc/UTC" : form.zone.name }

    /// A name for Kubernetes: small letters, digits and `-`, 52 of them at most.
    static func label(_ name: String) -> String {
        let words = asciiName(name).lowercased().split { $0 == "-" || $0 == "_" }
        var text = String(words.joined(separator: "-").prefix(52))
        while text.hasSuffix("-") { text.removeLast() }
        return text.isEmpty ? "project" : text
    }

    /// A text in YAML's double quotes.
    static func quoted(_ text: String) -> String { JSON.string(text).text }
}
